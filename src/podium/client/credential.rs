//! What proves to Podium who asks.

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

/// Gives tokens to ask with.
#[async_trait]
pub trait Credential: Send + Sync + 'static {
    /// A token that should be good now.
    async fn token(&self) -> Result<SecretString, CredentialError>;

    /// Podium has refused this token: another one, or none when there is no way to one.
    async fn instead_of(&self, refused: &SecretString) -> Result<Option<SecretString>, CredentialError>;
}

/// There is no token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A person has to do something about it.
    #[error("{0}")]
    Needs(String),
    /// It may be otherwise later.
    #[error("{0}")]
    NotNow(String),
}

impl CredentialError {
    /// Whether it may be otherwise later, without anybody doing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::NotNow(_))
    }
}

/// A token that was given once and for all.
#[derive(Clone, Debug)]
pub struct FixedToken(SecretString);

impl FixedToken {
    /// Asks with this token.
    #[must_use]
    pub const fn new(token: SecretString) -> Self {
        Self(token)
    }
}

#[async_trait]
impl Credential for FixedToken {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        Ok(self.0.clone())
    }

    async fn instead_of(&self, refused: &SecretString) -> Result<Option<SecretString>, CredentialError> {
        let is_another = refused.expose_secret() != self.0.expose_secret();
        Ok(is_another.then(|| self.0.clone()))
    }
}
