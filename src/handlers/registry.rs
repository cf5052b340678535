//! The kinds of handlers that a configuration can name.

use std::collections::BTreeMap;

#[cfg(unix)]
use super::command;
#[cfg(feature = "kafka")]
use super::kafka;
#[cfg(feature = "nats")]
use super::nats;
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
#[cfg(feature = "redis")]
use super::redis;
use super::{Handler, http, log};
use crate::config::{Settings, SettingsError};

/// Makes a handler from its settings.
pub type Factory = Box<dyn Fn(Settings) -> Result<Box<dyn Handler>, SettingsError> + Send + Sync>;

/// The kinds that not every build has, each for the Cargo feature of its name.
const BY_FEATURE: [&str; 4] = ["kafka", "nats", "rabbitmq", "redis"];

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
        #[cfg(feature = "kafka")]
        let kinds = kinds.with("kafka", kafka::build);
        #[cfg(feature = "nats")]
        let kinds = kinds.with("nats", nats::build);
        #[cfg(feature = "rabbitmq")]
        let kinds = kinds.with("rabbitmq", rabbitmq::build);
        #[cfg(feature = "redis")]
        let kinds = kinds.with("redis", redis::build);
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
    /// [`UnknownKind`] inside when there is no such kind, [`LeftOut`] when this build has not got it, else what the kind has against the settings.
    pub fn build(&self, kind: &str, settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
        match self.0.get(kind) {
            Some(factory) => factory(settings),
            None if BY_FEATURE.contains(&kind) => Err(LeftOut { kind: kind.to_owned() }.into()),
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

/// There is a kind of this name, but not in this build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this build of Lectern was made without the Cargo feature `{kind}`, and so has no handlers of kind `{kind}`; \
     build it with `cargo build --release --features {kind}`"
)]
pub struct LeftOut {
    /// What was asked for.
    pub kind: String,
}

impl From<LeftOut> for SettingsError {
    fn from(error: LeftOut) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_was_left_out_of_the_build_is_told_from_one_that_does_not_exist() {
        let bare = Registry(BTreeMap::new()).with("http", http::build);
        let said = |kind| bare.build(kind, Settings::default()).err().unwrap().to_string();
        assert_eq!(said("natz"), "there is no kind of handler named `natz`; there are http");
        for kind in BY_FEATURE {
            let said = said(kind);
            assert!(said.contains(&format!("made without the Cargo feature `{kind}`")), "{said}");
            assert!(said.ends_with(&format!("`cargo build --release --features {kind}`")), "{said}");
        }
    }
}
