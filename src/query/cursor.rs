//! Where the next page of a list begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::params::Pairs;

/// The place between two pages, and all that was asked for with the first: whoever follows a cursor need repeat nothing
/// else. What was asked is kept as it was written, so that it is checked again by whoever reads it: a cursor is not
/// signed, and anybody could write one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor<B> {
    /// The path of the list: a place in one list means nothing in another.
    pub(super) list: String,
    /// The last item of the page before.
    pub(super) below: B,
    /// The parameters of the first page.
    pub(super) asked: Pairs,
}

impl<B: Serialize + DeserializeOwned> Cursor<B> {
    /// The cursor as callers see it: opaque, and safe in a URL as it is.
    pub(super) fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("texts, identifiers and moments are always JSON");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// The cursor that the text holds, if it is one of `list`.
    pub(super) fn decode(text: &str, list: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok().filter(|cursor: &Self| cursor.list == list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(
            list: String, below: u128, asked in vec(("\\PC{0,20}", ".{0,20}"), 0..5), other: String,
        ) {
            let cursor = Cursor { list, below: Uuid::from_u128(below), asked };
            let text = cursor.encode();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(Cursor::decode(&text, &cursor.list), Some(cursor.clone()));
            prop_assert_eq!(Cursor::<Uuid>::decode(&text, &other).is_some(), other == cursor.list);
        }

        #[test]
        fn any_text_is_a_cursor_or_none(text: String) {
            prop_assert_eq!(Cursor::<Uuid>::decode(&text, "/list"), None);
        }

        #[test]
        fn any_change_of_a_cursor_is_a_cursor_or_none(at: prop::sample::Index, byte in 0x20_u8..0x7f) {
            let cursor = Cursor { list: "/list".into(), below: Uuid::nil(), asked: vec![("a".into(), "b".into())] };
            let mut bytes = cursor.encode().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let text = String::from_utf8(bytes).unwrap();
            if let Some(changed) = Cursor::<Uuid>::decode(&text, "/list") {
                prop_assert_eq!(changed.list, "/list");
            }
        }
    }
}
