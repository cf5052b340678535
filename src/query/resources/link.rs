//! Links from a resource to others.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a path or a query as it is: RFC 3986's unreserved characters.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The list of the events behind a resource.
pub(super) fn events(list: &str, uid: &str) -> String {
    format!("/api/v1/{list}/{}/events", utf8_percent_encode(uid, &PLAIN))
}

/// The events of a conversation are those that name it.
pub(super) fn events_of_conversation(uid: &str) -> String {
    format!("/api/v1/events?conversationUid={}", utf8_percent_encode(uid, &PLAIN))
}

/// The messages of a conversation.
pub(super) fn messages(uid: &str) -> String {
    format!("/api/v1/conversations/{}/messages", utf8_percent_encode(uid, &PLAIN))
}
