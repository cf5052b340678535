//! What tells that something is about a person.

use std::collections::BTreeSet;

use serde_json::Value;

/// A telephone number has no fewer digits, with its country's.
const LEAST_DIGITS: usize = 8;

/// A number without its country has no fewer: a shorter one is somebody's in every other town.
const LEAST_WITHOUT_COUNTRY: usize = 10;

/// A uid is only looked for within texts if it is at least so long. Shorter ones are words.
const LEAST_OF_UID: usize = 16;

/// Countries by the first digits of a number (ITU-T E.164): those of one digit, and of two. All others have three.
const ONE_DIGIT: [&str; 2] = ["1", "7"];
const TWO_DIGITS: [&str; 43] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
    "82", "84", "86", "90", "91", "92", "93", "94", "95",
];
const IRAN: &str = "98";

/// The uids, e-mail addresses and telephone numbers of one person, as they are looked for in whatever is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    uids: BTreeSet<String>,
    /// In lower case.
    emails: BTreeSet<String>,
    phones: BTreeSet<Phone>,
}

/// A telephone number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Phone {
    /// Nothing but digits.
    digits: String,
    /// How many of them are the country's; none when the country is not known.
    country: usize,
}

/// What was given is nothing to look for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTrace {
    /// It is empty, or too long.
    #[error("a contact's uid is what Podium calls it, such as 0d5cbd52-5f2a-4a3f-9a7e-3c1f2f7f9f0e")]
    Uid,
    /// It has no `@`.
    #[error("{0:?} is no e-mail address")]
    Email(String),
    /// It is no number that is one person's.
    #[error("{0:?} is no telephone number with its country: write it such as +18015550123")]
    Phone(String),
}

impl Traces {
    /// What is given of a person.
    ///
    /// # Errors
    /// When one of them is nothing to look for.
    pub fn of(uids: &[String], emails: &[String], phones: &[String]) -> Result<Self, NoTrace> {
        let mut traces = Self::default();
        for uid in uids {
            let uid = uid.trim();
            if uid.is_empty() || uid.len() > 255 {
                return Err(NoTrace::Uid);
            }
            traces.add_uid(uid.to_owned());
        }
        for text in emails {
            let email = email(text).ok_or_else(|| NoTrace::Email(text.clone()))?;
            traces.emails.insert(email);
        }
        for text in phones {
            let phone = Phone::read(text).ok_or_else(|| NoTrace::Phone(text.clone()))?;
            traces.phones.insert(phone);
        }
        Ok(traces)
    }

    /// The uids: of contacts, and of conversations once they are known.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.uids.iter().map(String::as_str)
    }

    /// The e-mail addresses.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.emails.iter().map(String::as_str)
    }

    /// The telephone numbers, digits alone.
    pub fn phones(&self) -> impl Iterator<Item = &str> {
        self.phones.iter().map(|phone| phone.digits.as_str())
    }

    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    pub(super) fn add_uid(&mut self, uid: String) {
        self.uids.insert(uid);
    }

    /// Which of the addresses this is, however it is written.
    pub(super) fn known_as(&self, address: &str) -> Option<&str> {
        let email = email(address).and_then(|email| self.emails.get(&email));
        email.map(String::as_str).or_else(|| {
            let phone = self.phones.iter().find(|phone| phone.is_in(address))?;
            Some(&phone.digits)
        })
    }

    /// Adds an address, if it is one to look for.
    pub(super) fn add_address(&mut self, address: &str) {
        match email(address) {
            Some(email) => _ = self.emails.insert(email),
            None => self.phones.extend(Phone::read(address).filter(|phone| !self.has_phone(phone))),
        }
    }

    /// Takes out an address, as [`known_as`](Self::known_as) tells it.
    pub(super) fn remove_address(&mut self, address: &str) {
        self.emails.remove(address);
        self.phones.retain(|phone| phone.digits != address);
    }

    /// Whether it is one of the numbers, however it is written.
    fn has_phone(&self, phone: &Phone) -> bool {
        self.phones.iter().any(|known| known.is_in(&phone.digits))
    }

    /// Whether any of them is in a text, which is JSON or anything else.
    #[must_use]
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => self.are_in_value(&value),
            Err(_) => self.are_in_text(&String::from_utf8_lossy(bytes)),
        }
    }

    fn are_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.has_uid(text) || self.are_in_text(text),
            Value::Number(number) => self.are_in_text(&number.to_string()),
            Value::Array(values) => values.iter().any(|value| self.are_in_value(value)),
            Value::Object(members) => {
                members.iter().any(|(name, value)| self.are_in_text(name) || self.are_in_value(value))
            }
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn are_in_text(&self, text: &str) -> bool {
        let long = self.uids.iter().filter(|uid| uid.len() >= LEAST_OF_UID);
        long.into_iter().any(|uid| is_in(uid, text, is_of_a_uid))
            || text.contains('@') && {
                let text = text.to_lowercase();
                self.emails.iter().any(|email| is_in(email, &text, is_of_an_address))
            }
            || self.phones.iter().any(|phone| phone.is_in(text))
    }
}

/// The address in lower case, if it is one.
fn email(text: &str) -> Option<String> {
    let (user, host) = text.trim().split_once('@')?;
    (!user.is_empty() && !host.is_empty()).then(|| format!("{user}@{host}").to_lowercase())
}

/// Whether `what` stands in a text by itself: what comes before it and behind it is no part of the same thing.
fn is_in(what: &str, text: &str, is_part: fn(char) -> bool) -> bool {
    text.match_indices(what).any(|(at, _)| {
        let mut behind = text[at + what.len()..].chars();
        let is_longer = match behind.next() {
            // A full stop that ends the sentence is no part of it.
            Some('.') => behind.next().is_some_and(is_part),
            Some(next) => is_part(next),
            None => false,
        };
        !is_longer && !text[..at].chars().next_back().is_some_and(is_part)
    })
}

fn is_of_a_uid(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

fn is_of_an_address(c: char) -> bool {
    c.is_alphanumeric() || "._%+-".contains(c)
}

impl Phone {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let has_country = text.starts_with('+');
        if !text.chars().all(|c| c.is_ascii_digit() || is_between_digits(c)) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let least = if has_country { LEAST_DIGITS } else { LEAST_WITHOUT_COUNTRY };
        if !(least..=15).contains(&digits.len()) {
            return None;
        }
        // As people write at home, where Podium is at home.
        let is_north_american = !has_country && digits.len() == 11 && digits.starts_with('1');
        let country = if has_country || is_north_american { country(&digits) } else { 0 };
        Some(Self { digits, country })
    }

    /// The number as people write it: with the country's digits; at home, without them or with a zero instead.
    fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.digits.clone()];
        let national = &self.digits[self.country..];
        match self.country {
            0 if self.digits.len() == LEAST_WITHOUT_COUNTRY => forms.push(format!("1{}", self.digits)),
            0 => {}
            1 => forms.push(national.to_owned()),
            _ => forms.push(format!("0{national}")),
        }
        forms
    }

    /// Whether it stands in a text, and not as a part of another number.
    fn is_in(&self, text: &str) -> bool {
        let characters: Vec<char> = text.chars().collect();
        self.forms().iter().any(|digits| {
            (0..characters.len()).any(|at| {
                let is_it = are_digits_at(digits.as_bytes(), &characters, at);
                is_it && !is_of_another_country(&characters[..at], &self.digits, digits)
            })
        })
    }
}

/// How many of a number's digits are its country's.
fn country(digits: &str) -> usize {
    if ONE_DIGIT.iter().any(|country| digits.starts_with(country)) {
        1
    } else if digits.starts_with(IRAN) || TWO_DIGITS.iter().any(|country| digits.starts_with(country)) {
        2
    } else {
        3
    }
}

fn is_between_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '+' | '\u{a0}' | '\u{2011}')
}

/// Whether these digits begin at a place of a text, with no more than a few signs between two of them and no digit before or behind.
fn are_digits_at(digits: &[u8], text: &[char], start: usize) -> bool {
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    if !is_digit(start) || start > 0 && is_digit(start - 1) {
        return false;
    }
    let mut at = start;
    for (nth, digit) in digits.iter().enumerate() {
        let mut between = 0;
        while nth > 0 && between < 3 && text.get(at).is_some_and(|c| is_between_digits(*c)) {
            (at, between) = (at + 1, between + 1);
        }
        if text.get(at) != Some(&char::from(*digit)) {
            return false;
        }
        at += 1;
    }
    !is_digit(at)
}

/// Whether what stands before the digits makes them a number of another country, as the 44 does in `+44 801 555 0123`.
fn is_of_another_country(before: &[char], whole: &str, digits: &str) -> bool {
    let run = before.iter().rev().take_while(|c| c.is_ascii_digit() || is_between_digits(**c));
    let run: Vec<char> = run.copied().collect();
    // Only as far back as a plus: what is before that is another number.
    let Some(plus) = run.iter().position(|c| *c == '+') else { return false };
    let country: String = run[..plus].iter().rev().filter(|c| c.is_ascii_digit()).collect();
    !country.is_empty() && format!("{country}{digits}") != whole
}

#[cfg(test)]
mod tests;
