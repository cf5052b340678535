//! What is known of the use of a webhook's secret, without the secret.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Tells one secret from another: 16 bytes of SHA-256 over the source's name and the secret.
///
/// A secret's name won't do: in a rotation `current` becomes `previous`, and what the one was used for must not be
/// taken for the use of the other. It is kept in the store and never shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretDigest([u8; 16]);

impl SecretDigest {
    /// The digest of a source's secret.
    #[must_use]
    pub fn of(source: &str, secret: &str) -> Self {
        // No source's name has a zero byte: no two inputs run together.
        let digest = Sha256::new()
            .chain_update(source.as_bytes())
            .chain_update([0])
            .chain_update(secret.as_bytes())
            .finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(first)
    }

    /// The digest as a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for SecretDigest {
    fn from(kept: [u8; 16]) -> Self {
        Self(kept)
    }
}

// Whoever has it could try guesses against it.
impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(hidden)")
    }
}

/// How a secret has been used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// Which secret.
    pub secret: SecretDigest,
    /// The source that it belongs to.
    pub source: String,
    /// What it is called, for whoever reads the database: the digest says which one it is.
    pub name: String,
    /// Since when it is known.
    pub known_since: Timestamp,
    /// When it last verified an event; none when it never did.
    pub last_used_at: Option<Timestamp>,
    /// How many events it verified.
    pub events: u64,
}
