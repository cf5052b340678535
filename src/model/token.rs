//! Tokens that open the internal API, known only by their digest.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::TokenId;

/// A token on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Our name for it.
    pub id: TokenId,
    /// A person's name for it; no two tokens share one.
    pub name: String,
    /// What it is known by.
    pub digest: TokenDigest,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Our name for it.
    pub id: TokenId,
    /// A person's name for it.
    pub name: String,
}

/// SHA-256 of a token. A token is 256 random bits, so a plain digest can't be turned back by guessing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

// Harmless to show, and of no use to who reads it.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

impl TokenDigest {
    /// The digest of a token's text.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The digest as a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
