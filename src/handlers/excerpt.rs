//! The piece of an answer or of an output that is kept with an attempt.

use crate::model::Attempt;

/// How many bytes have to be read for a piece: a few more, so that a character at the cut can be told from a broken one.
pub(super) const READ: usize = Attempt::KEPT_BYTES + 4;

/// The start of `bytes`; none when there are none.
pub(super) fn start(bytes: &[u8]) -> Option<String> {
    let mut text = text(bytes)?;
    text.truncate(text.floor_char_boundary(Attempt::KEPT_BYTES));
    Some(text)
}

/// The end of `bytes`; none when there are none.
#[cfg_attr(not(unix), expect(dead_code, reason = "only the kind `command` keeps an end"))]
pub(super) fn end(bytes: &[u8]) -> Option<String> {
    let mut text = text(bytes)?;
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

    proptest! {
        #[test]
        fn any_bytes_give_a_text_of_a_bounded_length(bytes in proptest::collection::vec(any::<u8>(), 1..5000)) {
            for text in [start(&bytes).unwrap(), end(&bytes).unwrap()] {
                prop_assert!(!text.is_empty() && text.len() <= LENGTH);
            }
        }
    }
}
