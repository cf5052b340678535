//! A handler's own settings: the keys of its `[[handlers]]` table that its kind understands.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The keys of a `[[handlers]]` table besides those that every handler has. They may hold secrets, so only their
/// names are printed.
#[derive(Clone, Default)]
pub struct Settings(Map<String, Value>);

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// Settings from a table.
    #[must_use]
    pub const fn new(table: Map<String, Value>) -> Self {
        Self(table)
    }

    /// Reads the settings as a kind's own type, which should be marked `#[serde(deny_unknown_fields)]` so that a
    /// misspelt key is an error.
    ///
    /// # Errors
    /// When a key is unknown, missing or has a value of another shape; the message names it.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, SettingsError> {
        serde_path_to_error::deserialize(Value::Object(self.0)).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            SettingsError(if path == "." { message } else { format!("{path}: {message}") })
        })
    }
}

/// A handler's settings can't be used; the message says which and why, and is shown to the person who wrote them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);
