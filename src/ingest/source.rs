//! Sources: the webhooks that may call.

use crate::config::OnUnverified;
use crate::podium::SigningKey;

/// A registered webhook with the secrets that it may sign with.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, the last part of its URL.
    pub name: String,
    /// Its secrets, the current one first.
    pub keys: Vec<SourceKey>,
    /// Whether a request without a signature is accepted.
    pub allow_unsigned: bool,
    /// What becomes of a request that fails verification.
    pub on_unverified: OnUnverified,
}

/// A secret of a source, ready to verify with.
#[derive(Clone, Debug)]
pub struct SourceKey {
    /// What the secret is called where it must not be shown.
    pub name: String,
    /// The secret.
    pub key: SigningKey,
}
