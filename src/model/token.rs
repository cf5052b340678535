//! Tokens that open the internal API, known only by their digest.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
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
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing; never, when there is no such moment.
    pub expires_at: Option<Timestamp>,
}

/// A token as the store knows it. What is shown of it is what a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Our name for it.
    #[serde(skip)]
    pub id: TokenId,
    /// A person's name for it.
    pub name: String,
    /// What it is known by.
    #[serde(skip)]
    pub digest: TokenDigest,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing; never, when there is no such moment.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as of about a minute ago.
    pub last_used_at: Option<Timestamp>,
}

impl Token {
    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything, and change nothing.
    Read,
    /// Everything: replay, release, pause, call done and delete, too.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 2] = [Self::Read, Self::Admin];

    /// The role's name, as the command line and both databases spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: use read or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// SHA-256 of a token. A token is 256 random bits, so a plain digest can't be turned back by guessing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

impl From<[u8; 32]> for TokenDigest {
    fn from(kept: [u8; 32]) -> Self {
        Self(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written_and_no_other_way() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        for text in ["", "Read", "administrator"] {
            assert_eq!(text.parse::<Role>(), Err(UnknownRole));
        }
    }

    #[test]
    fn what_is_shown_of_a_token_is_not_what_opens_the_api() {
        let made: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let token = Token {
            id: TokenId::at(made),
            name: "reporting".into(),
            digest: TokenDigest::of("secret"),
            role: Role::Read,
            created_at: made,
            expires_at: None,
            last_used_at: None,
        };
        let shown = r#"{"name":"reporting","role":"read","createdAt":"2026-11-22T09:00:00Z","expiresAt":null,"lastUsedAt":null}"#;
        assert_eq!(serde_json::to_string(&token).unwrap(), shown);
    }

    #[test]
    fn a_token_is_over_from_the_moment_on_at_which_it_expires() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = |expires_at| Token {
            id: TokenId::at(at(0)),
            name: "reporting".into(),
            digest: TokenDigest::of("secret"),
            role: Role::Read,
            created_at: at(0),
            expires_at,
            last_used_at: None,
        };
        assert!(!token(Some(at(10))).is_expired(at(9)));
        assert!(token(Some(at(10))).is_expired(at(10)));
        assert!(!token(None).is_expired(Timestamp::MAX));
    }
}
