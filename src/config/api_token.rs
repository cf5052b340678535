//! The token that opens the API of the configured Lectern, for a command that asks it.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::generated::{self, API_TOKEN, DataDirError};
use super::{Loaded, Origin};

/// The token that opens the API.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// The token.
    pub value: SecretString,
    /// What a person knows it by, such as `LECTERN_API_TOKEN` or `lectern-data/api-token`.
    pub from: String,
    /// Whether the environment gave it, and with it whoever calls the program, for this call.
    pub is_of_environment: bool,
}

/// No token can be given.
#[derive(Debug, thiserror::Error)]
pub enum ApiTokenError {
    /// The first start has not been yet.
    #[error("the API token {} is not there yet: the first start of `lectern` makes it", .0.display())]
    NotMade(PathBuf),
    /// The file can't be read.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
}

impl Loaded {
    /// The token that opens the API, configured or made by the first start.
    ///
    /// # Errors
    /// When it has not been made yet or can't be read.
    pub fn api_token(&self) -> Result<ApiToken, ApiTokenError> {
        if let Some(found) = self.configured_api_token() {
            return Ok(found);
        }
        let path = self.generated(API_TOKEN);
        let value = generated::read(&path)?.ok_or_else(|| ApiTokenError::NotMade(path.clone()))?;
        Ok(ApiToken { value, from: shown(&path), is_of_environment: false })
    }

    /// The token that opens the API, if it is written anywhere in the configuration.
    #[must_use]
    pub fn configured_api_token(&self) -> Option<ApiToken> {
        let found = self.draft.internal.api_token.clone()?;
        let origin = found.origin.short();
        let from = match &found.file {
            Some(file) => format!("{}, by {origin}", shown(file)),
            None => origin,
        };
        Some(ApiToken {
            value: found.value,
            from,
            is_of_environment: matches!(found.origin, Origin::Variable(_)),
        })
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
