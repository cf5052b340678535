//! The kinds of handlers that a configuration can name.

use std::collections::BTreeMap;

#[cfg(unix)]
use super::command;
use super::{Handler, http, log};
use crate::config::{Settings, SettingsError};

/// Makes a handler from its settings.
pub type Factory = Box<dyn Fn(Settings) -> Result<Box<dyn Handler>, SettingsError> + Send + Sync>;

/// The kinds of handlers, by name.
pub struct Registry(BTreeMap<String, Factory>);

impl Registry {
    /// The kinds that come with Lectern.
    #[must_use]
    pub fn built_in() -> Self {
        let kinds = Self(BTreeMap::new()).with("http", http::build).with("log", log::build);
        // It promises to leave no process behind, and keeps that with process groups.
        #[cfg(unix)]
        let kinds = kinds.with("command", command::build);
        kinds
    }

    /// Adds a kind of one's own, or replaces one.
    #[must_use]
    pub fn with<F>(mut self, kind: &str, factory: F) -> Self
    where
        F: Fn(Settings) -> Result<Box<dyn Handler>, SettingsError> + Send + Sync + 'static,
    {
        self.0.insert(kind.to_owned(), Box::new(factory));
        self
    }

    /// The names of the kinds, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Makes a handler of a kind.
    ///
    /// # Errors
    /// [`UnknownKind`] inside when there is no such kind, else what the kind has against the settings.
    pub fn build(&self, kind: &str, settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
        match self.0.get(kind) {
            Some(factory) => factory(settings),
            None => {
                Err(UnknownKind { kind: kind.to_owned(), known: self.kinds().map(str::to_owned).collect() }
                    .into())
            }
        }
    }
}

/// No kind has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of handler named `{kind}`; there are {}", .known.join(", "))]
pub struct UnknownKind {
    /// What was asked for.
    pub kind: String,
    /// What there is.
    pub known: Vec<String>,
}

impl From<UnknownKind> for SettingsError {
    fn from(error: UnknownKind) -> Self {
        Self(error.to_string())
    }
}
