//! The parameters of a query, read strictly: each is known, given once and well-formed, or the answer names all that is
//! wrong. What is not understood is never ignored: a misspelt filter would look like one that everything fits.

use std::collections::BTreeSet;
use std::mem;
use std::ops::RangeInclusive;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use bytes::Bytes;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde_json::{Map, Value};
use strsim::normalized_damerau_levenshtein;

use super::refusal::Refusal;

/// Thousands of parameters fit into one request; a person reads the first few.
const UNKNOWN_SHOWN: usize = 8;

/// Names and values as they were given, decoded.
pub(super) type Pairs = Vec<(String, String)>;

/// What an operation reads from its parameters.
pub(super) trait FromParams {
    /// Reads each parameter once; what is wrong with one is kept in `params` for [`Params::finish`] to tell.
    fn from_params(params: &mut Params) -> Self;
}

/// No parameters.
impl FromParams for () {
    fn from_params(_: &mut Params) -> Self {}
}

/// What was asked for, of an operation on all that a filter fits, at once and without pages.
#[derive(Debug)]
pub(super) struct Narrowed<F> {
    /// What narrows it.
    pub(super) filter: F,
    pub(super) uri: Uri,
}

impl<S: Sync, F: FromParams> FromRequestParts<S> for Narrowed<F> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let mut params = Params::of(&parts.uri);
        let filter = F::from_params(&mut params);
        params.finish()?;
        Ok(Self { filter, uri: parts.uri.clone() })
    }
}

/// What was asked for, of an operation that takes its parameters in a JSON object as the body, too.
#[derive(Debug)]
pub(super) struct Told<F> {
    /// What was asked for.
    pub(super) asked: F,
    pub(super) uri: Uri,
}

impl<S: Send + Sync, F: FromParams> FromRequest<S> for Told<F> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let uri = request.uri().clone();
        let body = Bytes::from_request(request, state).await.map_err(|_| Refusal::InvalidBody)?;
        let mut params = Params::of(&uri);
        if !body.is_empty() {
            let object: Map<String, Value> =
                serde_json::from_slice(&body).map_err(|_| Refusal::InvalidBody)?;
            params.add(object);
        }
        let asked = F::from_params(&mut params);
        params.finish()?;
        Ok(Self { asked, uri })
    }
}

/// What an operation reads from its parameters, found out by having it read.
#[derive(Debug)]
pub(super) struct Learnt {
    pub(super) parameters: Vec<Known>,
    /// What is said of a parameter that is none of these.
    pub(super) refusal: Option<Refusal>,
}

/// Has parameters read when there are none, and takes note of what was asked after: the document of the API can't tell of
/// other parameters than those that are read.
pub(super) fn learn(read: impl FnOnce(&mut Params)) -> Learnt {
    let mut params = Params::from(vec![("pageSize".to_owned(), "25".to_owned())]);
    read(&mut params);
    let parameters = params.invalid.known.clone();
    Learnt { parameters, refusal: params.finish().err() }
}

/// Parameters that are being read.
#[derive(Debug)]
pub(super) struct Params {
    unread: Pairs,
    invalid: InvalidParams,
}

/// A parameter that an operation asked after.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// What it must be, as in "… is not a UUID".
    pub(super) expected: String,
    pub(super) form: Form,
    /// Whether nothing happens without it.
    pub(super) is_needed: bool,
}

/// The form of a parameter, as far as it can be told to a machine.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A text, with a rule of its own.
    Text,
    /// A text of so many characters.
    Characters(RangeInclusive<usize>),
    /// A whole number.
    Number(RangeInclusive<u32>),
    Moment,
    Switch,
    Uuid,
    /// One of these words.
    Word(Vec<&'static str>),
}

/// What is wrong with the parameters of a request.
#[derive(Debug, Default)]
pub(super) struct InvalidParams {
    known: Vec<Known>,
    faults: Vec<String>,
    /// How many unknown parameters are counted only.
    more: usize,
}

impl Params {
    /// The parameters of a request. Bytes that are not UTF-8 are replaced.
    pub(super) fn of(uri: &Uri) -> Self {
        // Any query is a list of texts: there is nothing that this could fail at.
        Self::from(Query::<Pairs>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// Adds what a JSON object holds, each value as it would be written in a query. A null is not given.
    fn add(&mut self, object: Map<String, Value>) {
        for (name, value) in object {
            match value {
                Value::Null => {}
                Value::String(text) => self.unread.push((name, text)),
                Value::Bool(_) | Value::Number(_) => self.unread.push((name, value.to_string())),
                Value::Array(_) | Value::Object(_) => {
                    self.fault(format!("{} is neither a text nor a number nor true or false", quoted(&name)));
                }
            }
        }
    }

    /// Whether something is wrong already.
    pub(super) fn is_wrong(&self) -> bool {
        !self.invalid.faults.is_empty()
    }

    /// Takes note of what is wrong besides the form of a parameter.
    pub(super) fn fault(&mut self, sentence: impl Into<String>) {
        self.invalid.faults.push(sentence.into());
    }

    /// What was given and not read yet.
    pub(super) fn unread(&self) -> &Pairs {
        &self.unread
    }

    /// Takes a parameter as it is.
    pub(super) fn take(&mut self, name: &'static str) -> Option<String> {
        self.take_as(Form::Text, name, "a text")
    }

    fn take_as(&mut self, form: Form, name: &'static str, expected: &str) -> Option<String> {
        self.invalid.known.push(Known { name, expected: expected.to_owned(), form, is_needed: false });
        let (given, rest): (Pairs, Pairs) =
            mem::take(&mut self.unread).into_iter().partition(|(given, _)| given == name);
        self.unread = rest;
        match <[_; 1]>::try_from(given) {
            Ok([(_, value)]) => Some(value),
            Err(given) if given.is_empty() => None,
            Err(_) => {
                self.invalid.faults.push(format!("{name} is given more than once"));
                None
            }
        }
    }

    /// Reads a parameter; `expected` says what it must be, as in "… is not a UUID".
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.read_as(Form::Text, name, expected, parse)
    }

    /// The same, of a form that the API's document tells, too.
    pub(super) fn read_as<T>(
        &mut self,
        form: Form,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.take_as(form, name, expected)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.invalid.faults.push(format!("{name}: {} is not {expected}", quoted(&value)));
        }
        parsed
    }

    /// Reads a name or an identifier: one that breaks the rule for texts in the ledger can't be there.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let expected = "a text of 1 to 255 characters without control characters";
        self.read_as(Form::Characters(1..=255), name, expected, |text| {
            let fits = (1..=255).contains(&text.chars().count()) && !text.contains(char::is_control);
            fits.then(|| text.to_owned())
        })
    }

    /// Reads a whole number.
    pub(super) fn number(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.read_as(Form::Number(range.clone()), name, &expected, |text| {
            text.parse().ok().filter(|number| range.contains(number))
        })
    }

    /// Reads a switch.
    pub(super) fn switch(&mut self, name: &'static str) -> Option<bool> {
        self.read_as(Form::Switch, name, "true or false", |text| text.parse().ok())
    }

    /// Reads a moment.
    pub(super) fn moment(&mut self, name: &'static str) -> Option<Timestamp> {
        let expected = "a moment in ISO 8601 with its offset from UTC, such as 2026-11-22T09:30:00Z (a plus is written %2B)";
        self.read_as(Form::Moment, name, expected, |text| text.parse().ok().and_then(whole_microseconds))
    }

    /// Says that nothing happens without the parameter that was read last. `why` says what it is for.
    pub(super) fn needs<T>(&mut self, read: Option<T>, why: &str) -> Option<T> {
        let known = self.invalid.known.last_mut();
        let name = known.map(|known| {
            known.is_needed = true;
            known.name
        });
        // One that is there and wrong is told as such.
        if let (None, Some(name), false) = (&read, name, self.is_wrong()) {
            self.fault(format!("{name} is missing: {why}"));
        }
        read
    }

    /// Says what was wrong, if anything was. What nobody has read is not known here.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        let unknown: BTreeSet<&str> = self.unread.iter().map(|(name, _)| name.as_str()).collect();
        self.invalid.more = unknown.len().saturating_sub(UNKNOWN_SHOWN);
        for name in unknown.into_iter().take(UNKNOWN_SHOWN) {
            let fault = self.invalid.unknown(name);
            self.invalid.faults.push(fault);
        }
        if self.invalid.faults.is_empty() { Ok(()) } else { Err(Refusal::InvalidParams(self.invalid)) }
    }
}

impl From<Pairs> for Params {
    fn from(unread: Pairs) -> Self {
        Self { unread, invalid: InvalidParams::default() }
    }
}

impl InvalidParams {
    /// What is wrong.
    pub(super) fn message(&self) -> String {
        match (self.faults.join("; "), self.more) {
            (faults, 0) => faults,
            (faults, more) => format!("{faults}; and {more} more"),
        }
    }

    /// What is allowed.
    pub(super) fn allowed(&self) -> String {
        let known: Vec<&str> = self.known.iter().map(|known| known.name).collect();
        match known.join(", ").as_str() {
            "" => "this operation has no parameters".to_owned(),
            known => format!("the parameters of this operation: {known}"),
        }
    }

    fn unknown(&self, name: &str) -> String {
        let start: String = name.chars().take(40).collect();
        let nearest = self
            .known
            .iter()
            .map(|known| known.name)
            .map(|known| (normalized_damerau_levenshtein(&start, known), known))
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        match nearest {
            Some((likeness, known)) if likeness > 0.6 => {
                format!("unknown parameter {}: did you mean {known}?", quoted(name))
            }
            _ => format!("unknown parameter {}", quoted(name)),
        }
    }
}

/// The text, or the start of a long one, with quotes around it and what can't be seen spelt out.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The first whole microsecond from there on: the ledger's moments are whole, so "at or after" and "before" mean the
/// same with it. Nothing was received before 1970, and PostgreSQL's calendar does not begin as early as ISO 8601's.
fn whole_microseconds(at: Timestamp) -> Option<Timestamp> {
    let up = TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Ceil);
    at.max(Timestamp::UNIX_EPOCH).round(up).ok()
}
