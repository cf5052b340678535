//! What is examined, and by which rules.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;

use super::Window;
use crate::model::Header;

/// A request as it came in.
#[derive(Clone, Copy)]
pub struct Examined<'a> {
    /// Its headers, in their order, with their names in lower case. Of several with one name the first counts.
    pub headers: &'a [Header],
    /// Its body, byte for byte.
    pub body: &'a [u8],
    /// When it was received.
    pub received_at: Timestamp,
}

/// Shows neither what customers write nor the signature over it.
impl fmt::Debug for Examined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|header| &header.name).collect();
        f.debug_struct("Examined")
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish()
    }
}

/// The rules of the source that a request came to, and every secret that may explain it.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The source's name.
    pub source: &'a str,
    /// The secrets of this source, of the other ones, and those that were given by hand, in any order.
    pub secrets: &'a [Candidate],
    /// Whether the source takes requests without a signature.
    pub allow_unsigned: bool,
    /// Which signatures are still good.
    pub window: Window,
}

/// A secret that a request may have been signed with.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The source that it belongs to; none for one that was given by hand.
    pub source: Option<String>,
    /// What it is called where it must not be shown.
    pub name: String,
    /// The secret itself.
    pub value: SecretString,
    /// Whether its time is over, so that nothing is verified with it any more.
    pub expired: bool,
}

impl Candidate {
    /// Whether requests to `source` are verified with it.
    pub(super) fn is_good_for(&self, source: &str) -> bool {
        self.source.as_deref() == Some(source) && !self.expired
    }

    /// `current` of the source `default`.
    pub(super) fn described(&self) -> String {
        match &self.source {
            Some(source) => format!("the secret `{}` of the source `{source}`", self.name),
            None => format!("the secret in {}", self.name),
        }
    }
}
