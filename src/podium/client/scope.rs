//! What a token must be allowed to do.

use crate::podium::{EventType, PayloadKind};

/// Every scope by which something can be read that webhooks tell of, or that helps to understand it.
pub const READING: [&str; 8] = [
    "read_contacts",
    "read_locations",
    "read_messages",
    "read_organizations",
    "read_payments",
    "read_phones",
    "read_reviews",
    "read_users",
];

/// The scope that a webhook needs for events of this type; none for a type that is not documented.
#[must_use]
pub fn scope_of(event_type: &EventType) -> Option<&'static str> {
    match event_type.payload_kind() {
        PayloadKind::Message => Some("read_messages"),
        PayloadKind::ContactChange => Some("read_contacts"),
        PayloadKind::Invoice => Some("read_payments"),
        PayloadKind::Review | PayloadKind::ReviewInvite | PayloadKind::ReviewResponse => Some("read_reviews"),
        PayloadKind::Call => Some("read_phones"),
        PayloadKind::Other => None,
    }
}
