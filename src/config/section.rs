//! Reads one table of the configuration: each key once, by name, with a note of what it is and where it is from. What
//! is left over at the end is unknown. Mistakes are gathered, so that a person sees all of them at once.

use config::{Map, Value, ValueKind};
use secrecy::SecretString;

use super::environment::variable_for;
use super::mistake::{listed, nearest};
use super::provenance::Setting;
use super::written::Written;
use super::{Origin, secret};

/// What reading brings to light, besides the values.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) mistakes: Vec<String>,
    pub(super) settings: Vec<Setting>,
    /// The configuration file, if there is one.
    pub(super) file: Option<Origin>,
}

impl Report {
    /// What a key was found to be, and where: `"1s" (lectern.toml)`.
    pub(super) fn shown(&self, heading: &str, key: &str) -> String {
        let noted = self.noted(heading, key);
        noted.map(|Setting { shown, from, .. }| format!("{shown} ({from})")).unwrap_or_default()
    }

    /// What was noted of a key last.
    pub(super) fn noted(&self, heading: &str, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.heading == heading && setting.key == key)
    }
}

/// The value can't be used; why is in the [`Report`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// Where a section stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Its heading in a file, such as `[public]`; empty at the top.
    pub(super) heading: String,
    /// What its keys begin with, such as `public.`.
    pub(super) prefix: String,
    /// Whose keys they are, where the prefix doesn't say, such as ` of the handler `crm``.
    pub(super) owner: String,
}

/// A table that is being read.
pub(super) struct Section<'r> {
    place: Place,
    table: Map<String, Value>,
    known: Vec<&'static str>,
    pub(super) report: &'r mut Report,
}

impl<'r> Section<'r> {
    /// Reads a table with `read`, then reports the keys that `read` did not ask for.
    pub(super) fn read<T>(
        place: Place,
        table: Map<String, Value>,
        report: &'r mut Report,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let mut section = Section { place, table, known: Vec::new(), report };
        let value = read(&mut section);
        section.report_unknown();
        value
    }

    /// Reads the table at `key`.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        let table = self.table(key)?;
        self.below(key, table, read)
    }

    /// Reads a table that stands at `key`.
    pub(super) fn below<T>(
        &mut self,
        key: &str,
        table: Map<String, Value>,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let prefix = format!("{}{key}.", self.place.prefix);
        // A handler's table in brackets is `[handlers.retry]`, while its keys are simply `retry.…` of that handler.
        let parent = self.place.heading.trim_matches(['[', ']']);
        let heading = if parent.is_empty() { format!("[{key}]") } else { format!("[{parent}.{key}]") };
        let place = Place { heading, prefix, owner: self.place.owner.clone() };
        Section::read(place, table, self.report, read)
    }

    /// Takes the table at `key` as it is.
    pub(super) fn table(&mut self, key: &'static str) -> Result<Map<String, Value>, Reported> {
        let written = self.take(key)?;
        written.table().ok_or_else(|| self.mistake(key, &written, "must be a table"))
    }

    /// Reads the value at `key` with `meaning`, whose error ends the sentence "`key` is … in …, but".
    pub(super) fn value<T, E: AsRef<str>>(
        &mut self,
        key: &'static str,
        meaning: impl FnOnce(&Written) -> Result<T, E>,
    ) -> Result<T, Reported> {
        let written = self.take(key)?;
        self.note(key, written.shown(), &written.whole(), written.origin().short());
        meaning(&written).map_err(|but| self.mistake(key, &written, but.as_ref()))
    }

    /// Reads a secret, from `key` or from the file that `file_key` names. `shown` is what may be shown of it.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        shown: impl FnOnce(&str) -> String,
    ) -> Result<Option<secret::Found>, Reported> {
        let (inline, file) = (self.take(key)?, self.take(file_key)?);
        let found = secret::find(&inline, &file);
        let (value, path) = match &found {
            Ok(Some(found)) => (shown(found.expose()), found.file.as_ref()),
            Ok(None) => ("(not set)".to_owned(), None),
            Err(_) => ("(unusable)".to_owned(), None),
        };
        let origin = if path.is_some() { file.origin() } else { inline.origin() };
        let from = path.map_or_else(
            || origin.short(),
            |path| format!("{}, by {file_key} ({})", path.display(), origin.short()),
        );
        let whole = found.as_ref().ok().and_then(Option::as_ref).map_or("", secret::Found::expose);
        self.note(key, value, whole, from);
        found.map_err(|problem| {
            let (key, file_key) = (self.name(key), self.name(file_key));
            self.report.mistakes.push(problem.sentence(&key, &file_key, &inline.origin(), &file.origin()));
            Reported
        })
    }

    /// Everything that has not been read: the keys of somebody else.
    pub(super) fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.table)
    }

    /// Adds a mistake about a value.
    pub(super) fn mistake(&mut self, key: &str, written: &Written, but: &str) -> Reported {
        let (name, origin) = (self.name(key), written.origin());
        let but = origin.advice(but);
        self.report.mistakes.push(format!("{name} is {} in {origin}, but {but}", written.shown()));
        Reported
    }

    /// Adds a mistake that is no single value's.
    pub(super) fn complain(&mut self, sentence: String) -> Reported {
        self.report.mistakes.push(sentence);
        Reported
    }

    /// Notes what a key is and where that is from. `whole` is what another value of it is compared with: it is never
    /// shown, and empty when the key is not set.
    pub(super) fn note(&mut self, key: &str, shown: String, whole: &str, from: String) {
        let (heading, whole) = (self.place.heading.clone(), SecretString::from(whole));
        self.report.settings.push(Setting { heading, key: key.to_owned(), shown, from, whole });
    }

    /// The key with its place, as sentences name it.
    pub(super) fn name(&self, key: &str) -> String {
        format!("`{}{key}`{}", self.place.prefix, self.place.owner)
    }

    /// What a key was found to be, as a sentence about it begins.
    pub(super) fn said(&self, key: &str) -> String {
        format!("{} is {}", self.name(key), self.shown(key))
    }

    /// What a key was found to be, and where.
    pub(super) fn shown(&self, key: &str) -> String {
        self.report.shown(&self.place.heading, key)
    }

    /// A value of this section, as it was written. Only a file can have an empty table.
    pub(super) fn written(&self, value: Value) -> Written {
        Written::new(value, self.report.file.clone().unwrap_or(Origin::Default))
    }

    /// Takes the value at `key` as it is.
    pub(super) fn take(&mut self, key: &'static str) -> Result<Written, Reported> {
        self.known.push(key);
        match self.table.remove(key) {
            Some(value) => Ok(self.written(value)),
            // Defaults have every key, so this is a handler's or a source's that has none by nature.
            None => {
                let name = self.name(key);
                Err(self.complain(format!("{name} is missing")))
            }
        }
    }

    fn report_unknown(&mut self) {
        let mut unknown: Vec<_> = self.rest().into_iter().collect();
        unknown.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, value) in unknown {
            let near = nearest(&key, self.known.iter().copied());
            let sentence = match (self.written(value).origin(), near) {
                (Origin::Variable(variable), None) => {
                    format!("the environment variable {variable} names no key")
                }
                (Origin::Variable(variable), Some(near)) => {
                    let meant = variable_for(&format!("{}{near}", self.place.prefix));
                    format!("the environment variable {variable} names no key; did you mean {meant}?")
                }
                (origin, Some(near)) => {
                    format!(
                        "unknown key {} in {origin}; did you mean `{}{near}`?",
                        self.name(&key),
                        self.place.prefix
                    )
                }
                (origin, None) => {
                    format!(
                        "unknown key {} in {origin}; known are {}",
                        self.name(&key),
                        listed(&self.known, "and")
                    )
                }
            };
            self.report.mistakes.push(sentence);
        }
    }
}

/// Adds to a table what it lacks of the defaults, down through the tables in it.
pub(super) fn complete(table: &mut Map<String, Value>, defaults: &Map<String, Value>) {
    for (key, default) in defaults {
        match (table.get_mut(key).map(|value| &mut value.kind), &default.kind) {
            (None, _) => {
                table.insert(key.clone(), default.clone());
            }
            (Some(ValueKind::Table(table)), ValueKind::Table(defaults)) => complete(table, defaults),
            (Some(_), _) => {}
        }
    }
}
