//! What a body may have been when it was signed, before something changed it on its way.

mod json;
mod text;
mod wrapped;

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::{Code, Finding};

/// How the body that was signed differs from the one that came.
#[derive(Clone)]
pub(super) struct Change {
    code: Code,
    /// Ends the sentence "The signature fits the body …".
    signed: String,
    /// What to say of it.
    cause: String,
}

impl Change {
    fn new(code: Code, signed: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { code, signed: signed.into(), cause: cause.into() }
    }

    pub(super) fn finding(&self) -> Finding {
        Finding::new(
            self.code,
            format!("The signature fits the body {}: {}.", self.signed, self.cause),
            "Look at what the body goes through before Lectern (a proxy, a function, a framework, an editor if it was saved \
             by hand): it must pass it on byte for byte. If the sender is your own, it must sign exactly what it sends.",
        )
    }
}

/// A change that can be undone: its code, how to tell of what was signed and of the cause, and the way back; that gives
/// nothing where there is nothing to undo.
type Undo = (Code, &'static str, &'static str, fn(&[u8]) -> Option<Vec<u8>>);

/// Every other body that this one may have been, the likely first, each once. Only one is in memory at a time.
pub(super) fn changes(body: &[u8]) -> impl Iterator<Item = (Change, Vec<u8>)> {
    let mut seen = HashSet::from([Sha256::digest(body)]);
    let undone = text::UNDONE.into_iter().chain(wrapped::UNDONE);
    undone
        .filter_map(|(code, signed, cause, undo)| Some((Change::new(code, signed, cause), undo(body)?)))
        .chain(json::changes(body))
        .filter(move |(_, changed)| seen.insert(Sha256::digest(changed)))
}
