//! The words by which a resource is found, worked out of the resource itself.

use serde::de::DeserializeOwned;

use super::{call, contact, invoice, message, review};
use crate::model::{ResourceKind, Words};

/// The words of a resource that is kept as this JSON, of the person of that name. What can't be read has none.
#[must_use]
pub fn words(kind: ResourceKind, name: Option<&str>, data: &str) -> Words {
    match kind {
        ResourceKind::Message => of(data, message::words),
        ResourceKind::Conversation => of(data, |talk| message::words_of_conversation(name, talk)),
        ResourceKind::Contact => of(data, contact::words),
        ResourceKind::Invoice => of(data, invoice::words),
        ResourceKind::Review => of(data, review::words_of_review),
        ResourceKind::ReviewInvite => of(data, review::words_of_invite),
        ResourceKind::ReviewResponse => of(data, review::words_of_response),
        ResourceKind::Call => of(data, call::words),
    }
}

fn of<T: DeserializeOwned>(data: &str, words: impl FnOnce(&T) -> Words) -> Words {
    serde_json::from_str(data).map(|read| words(&read)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::mirror::picture;
    use crate::model::{Content, EventRecord};
    use crate::podium::{EventType, samples};

    #[test]
    fn what_is_kept_has_the_words_of_what_was_told() {
        for event_type in EventType::ALL {
            let Some(body) = samples::body(event_type) else { continue };
            let content = Content { headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) };
            for state in picture::of(&record(event_type), &content).unwrap() {
                assert_eq!(
                    words(state.kind, state.name.as_deref(), &state.data),
                    state.words,
                    "{event_type}"
                );
            }
        }
    }

    fn record(event_type: &EventType) -> EventRecord {
        EventRecord::bare(event_type.as_str(), Timestamp::UNIX_EPOCH)
    }
}
