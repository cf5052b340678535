//! Events to send.

use lectern::podium::EventType;
use lectern::podium::samples::{Fresh, fresh};

/// A new event of the type, in the conversation, that nobody has sent before.
pub(crate) fn new_event(event_type: &str, conversation: &str) -> Vec<u8> {
    numbered_event(event_type, conversation, &unlike_any_other())
}

/// An event whose uid is `event-NUMBER`.
pub(crate) fn numbered_event(event_type: &str, conversation: &str, number: &str) -> Vec<u8> {
    let fresh_parts = Fresh {
        event_uid: format!("event-{number}"),
        subject_uid: format!("subject-{number}"),
        conversation_uid: Some(conversation.to_owned()),
        occurred_at: "2026-11-20T10:00:00Z".parse().expect("it is a time"),
    };
    fresh(&EventType::from(event_type), &fresh_parts).expect("there is a sample of this type")
}

fn unlike_any_other() -> String {
    format!("{:016x}", getrandom::u64().expect("the system has random bytes"))
}
