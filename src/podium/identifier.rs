//! What may be an event's type, uid or version: Podium's identifiers are opaque, up to 255 characters long.

const MAX_CHARACTERS: usize = 255;

/// The text if it can be an identifier: not empty, at most 255 characters, no control characters.
///
/// PostgreSQL's `text` can't hold U+0000, and the other control characters have no place in a log line or a
/// header. U+FFFD stands where bytes were no UTF-8: different bytes would look like one identifier, and one
/// of two events would be taken for the other's duplicate.
#[must_use]
pub fn checked(text: &str) -> Option<&str> {
    let mut characters = 0;
    for character in text.chars() {
        characters += 1;
        if characters > MAX_CHARACTERS || character.is_control() || character == char::REPLACEMENT_CHARACTER {
            return None;
        }
    }
    (characters > 0).then_some(text)
}
