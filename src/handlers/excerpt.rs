//! The piece of an answer or of an output that is kept with an attempt.

use std::cmp::Reverse;

use crate::model::Attempt;

/// How many bytes have to be read for a piece: a few more, so that a character at the cut can be told from a broken one.
pub(super) const READ: usize = Attempt::KEPT_BYTES + 4;

/// What is shorter may be any word, and is not hidden.
const SHORTEST: usize = 8;

/// So much of a secret that is cut off tells something of it.
const PIECE: usize = 4;

/// What stands in the place of a secret.
const INSTEAD: &str = "[hidden]";

/// Configured secrets, which the other side may repeat. It has no `Debug`.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Takes in a text that is to be hidden, unless it is too short.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.chars().count() >= SHORTEST {
            self.0.push(secret.to_owned());
            // One may be a part of another.
            self.0.sort_by_key(|secret| Reverse(secret.len()));
        }
    }

    fn hide(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| text.replace(secret.as_str(), INSTEAD))
    }

    /// How many bytes at the end are the first ones of a secret, perhaps all of it.
    fn begun(&self, bytes: &[u8]) -> usize {
        self.longest(|secret, length| bytes.ends_with(&secret[..length]))
    }

    /// How many bytes at the start are the last ones of a secret, perhaps all of it.
    fn ended(&self, bytes: &[u8]) -> usize {
        self.longest(|secret, length| bytes.starts_with(&secret[secret.len() - length..]))
    }

    fn longest(&self, fits: impl Fn(&[u8], usize) -> bool) -> usize {
        let piece =
            |secret: &String| (PIECE..=secret.len()).rev().find(|&length| fits(secret.as_bytes(), length));
        self.0.iter().filter_map(piece).max().unwrap_or_default()
    }
}

/// The start of `bytes`, without what is secret; none when there are none.
pub(super) fn start(bytes: &[u8], secrets: &Secrets) -> Option<String> {
    let cut = if bytes.len() < READ { 0 } else { secrets.begun(bytes) };
    let mut text = secrets.hide(text(&bytes[..bytes.len() - cut])?);
    text.truncate(text.floor_char_boundary(Attempt::KEPT_BYTES));
    Some(text)
}

/// The end of `bytes`, without what is secret; none when there are none.
#[cfg_attr(not(unix), expect(dead_code, reason = "only the kind `command` keeps an end"))]
pub(super) fn end(bytes: &[u8], secrets: &Secrets) -> Option<String> {
    let cut = if bytes.len() < READ { 0 } else { secrets.ended(bytes) };
    let mut text = secrets.hide(text(&bytes[cut..])?);
    text.drain(..text.ceil_char_boundary(text.len().saturating_sub(Attempt::KEPT_BYTES)));
    Some(text)
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LENGTH: usize = Attempt::KEPT_BYTES;

    fn start(bytes: &[u8]) -> Option<String> {
        super::start(bytes, &Secrets::default())
    }

    fn end(bytes: &[u8]) -> Option<String> {
        super::end(bytes, &Secrets::default())
    }

    fn secrets(all: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        all.iter().for_each(|secret| secrets.add(secret));
        secrets
    }

    #[test]
    fn nothing_is_not_an_empty_text() {
        assert_eq!(start(b""), None);
        assert_eq!(end(b""), None);
    }

    #[test]
    fn a_short_text_is_kept_whole() {
        assert_eq!(start("grüß dich".as_bytes()).unwrap(), "grüß dich");
        assert_eq!(end("grüß dich".as_bytes()).unwrap(), "grüß dich");
    }

    #[test]
    fn a_character_at_the_cut_is_left_out_and_not_broken() {
        let text = format!("a{}", "ü".repeat(LENGTH));
        assert_eq!(start(&text.as_bytes()[..READ]).unwrap(), format!("a{}", "ü".repeat(LENGTH / 2 - 1)));
        let text = format!("{}a", "ü".repeat(LENGTH));
        assert_eq!(
            end(&text.as_bytes()[text.len() - READ..]).unwrap(),
            format!("{}a", "ü".repeat(LENGTH / 2 - 1))
        );
    }

    #[test]
    fn secrets_are_hidden_wherever_they_are_repeated() {
        let secrets = secrets(&["hunter2-key", "hunter2-key-of-all", "short"]);
        let text = b"no hunter2-key, nor hunter2-key-of-all\xff; hunter2-key is too short";
        let expected = "no [hidden], nor [hidden]\u{fffd}; [hidden] is too short";
        assert_eq!(super::start(text, &secrets).unwrap(), expected);
        assert_eq!(super::end(text, &secrets).unwrap(), expected);
    }

    #[test]
    fn a_secret_that_is_cut_off_is_left_out() {
        let secrets = secrets(&["hunter2-key"]);
        let rest = "x".repeat(READ - 6);
        assert_eq!(super::start(format!("{rest}hunter").as_bytes(), &secrets).unwrap(), rest);
        assert_eq!(super::end(format!("r2-key{rest}").as_bytes(), &secrets).unwrap(), rest);
        assert_eq!(super::start(b"hunter", &secrets).unwrap(), "hunter", "nothing is cut off here");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_text_of_a_bounded_length(bytes in proptest::collection::vec(any::<u8>(), 1..5000)) {
            for text in [start(&bytes).unwrap(), end(&bytes).unwrap()] {
                prop_assert!(!text.is_empty() && text.len() <= LENGTH);
            }
        }
    }
}
