//! The search for what a signature was made of: one body, one message around it, one key.

use super::body::{self, Change};
use super::key::{self, Key};
use super::message::{self, Message};
use super::timestamp::Spelling;
use super::{Examined, Finding, Rules};

/// How many bytes are hashed or written anew at most for one diagnosis. With a body of a few kilobytes every
/// combination is tried; with one of 1 MiB the likely ones are.
pub const MAX_HASHED: u64 = 512 << 20;

/// The largest body, in bytes, that is supposed to have been changed on its way; a larger one is taken as it is.
pub const MAX_CHANGED: usize = 1 << 20;

/// What a signature was made of.
pub(super) struct Fit<'a> {
    pub(super) key: Key<'a>,
    pub(super) message: Message,
    pub(super) change: Option<Change>,
}

/// How a search ended.
pub(super) enum Searched<'a> {
    Found(Box<Fit<'a>>),
    Nothing {
        /// Whether everything was tried.
        complete: bool,
    },
}

impl Fit<'_> {
    /// What is not as documented, from the outside in.
    pub(super) fn findings(&self, source: &str) -> Vec<Finding> {
        let secret = self.key.findings(source);
        let change = self.change.as_ref().map(Change::finding);
        secret.chain(self.message.findings()).chain(change).collect()
    }
}

/// Everything that is combined: of each kind first what is as documented, then what is not.
pub(super) struct Search<'a> {
    keys: [Vec<Key<'a>>; 2],
    messages: [Vec<Message>; 2],
    body: &'a [u8],
    left: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(request: &Examined<'a>, rules: &Rules<'a>, spellings: &[Spelling], most: u64) -> Self {
        let keys = key::as_they_are(rules);
        let misread = key::misread(&keys);
        Self {
            keys: [keys, misread],
            messages: [message::documented(spellings), message::others(spellings, request.headers)],
            body: request.body,
            left: most,
        }
    }

    /// Looks for what gives this digest. What needs the fewest suppositions is tried first: it is the likeliest, and
    /// the first that fits is right.
    pub(super) fn run(&mut self, digest: &[u8; 32]) -> Searched<'a> {
        let is_small = self.body.len() <= MAX_CHANGED;
        for suppositions in 0..=3 {
            for (changed, other, misread) in PASSES.into_iter().filter(|&(a, b, c)| a + b + c == suppositions)
            {
                if changed == 1 && !is_small {
                    continue;
                }
                match self.pass(digest, changed == 1, other, misread) {
                    Pass::Found(fit) => return Searched::Found(fit),
                    Pass::Nothing => {}
                    Pass::TooMuch => return Searched::Nothing { complete: false },
                }
            }
        }
        Searched::Nothing { complete: is_small }
    }

    fn pass(&mut self, digest: &[u8; 32], changed: bool, other: usize, misread: usize) -> Pass<'a> {
        if self.keys[misread].is_empty() || self.messages[other].is_empty() {
            return Pass::Nothing;
        }
        if !changed {
            return self.try_body(digest, self.body, other, misread);
        }
        for (change, body) in body::changes(self.body) {
            // To write it anew costs about as much as to hash it.
            if !self.afford(body.len()) {
                return Pass::TooMuch;
            }
            match self.try_body(digest, &body, other, misread) {
                Pass::Nothing => {}
                Pass::Found(mut fit) => {
                    fit.change = Some(change);
                    return Pass::Found(fit);
                }
                Pass::TooMuch => return Pass::TooMuch,
            }
        }
        Pass::Nothing
    }

    fn try_body(&mut self, digest: &[u8; 32], body: &[u8], other: usize, misread: usize) -> Pass<'a> {
        for message in 0..self.messages[other].len() {
            for key in 0..self.keys[misread].len() {
                if !self.afford(body.len()) {
                    return Pass::TooMuch;
                }
                if self.keys[misread][key].gives(digest, &self.messages[other][message], body) {
                    let key = self.keys[misread].swap_remove(key);
                    let message = self.messages[other].swap_remove(message);
                    return Pass::Found(Box::new(Fit { key, message, change: None }));
                }
            }
        }
        Pass::Nothing
    }

    /// Takes from what may still be hashed; each hash has its own beginning and end, too.
    fn afford(&mut self, bytes: usize) -> bool {
        let cost = bytes as u64 + 256;
        let can = cost <= self.left;
        self.left = self.left.saturating_sub(cost);
        can
    }
}

enum Pass<'a> {
    Found(Box<Fit<'a>>),
    Nothing,
    TooMuch,
}

/// Whether the body was changed, the message is another one than documented, the secret was misread. Podium signs rightly,
/// so that of one supposition a changed body is the likeliest.
const PASSES: [(usize, usize, usize); 8] =
    [(0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0), (0, 1, 1), (1, 1, 1)];
