//! Third stage: what does it say, and who wants to hear of it? Whatever is in the body, the answer is an event: a
//! correctly signed request is never refused for what it says.

use super::verify::Verified;
use crate::model::{Arrival, DedupKey, EventRecord, NewEvent, Subscription};
use crate::podium;

/// An event with the deliveries that follow from it, ready to be accepted.
pub(super) struct Event(NewEvent);

impl Event {
    /// What is handed to the store.
    pub(super) fn into_new(self) -> NewEvent {
        self.0
    }
}

/// Reads a verified request and works out which handlers owe it.
pub(super) fn decode(verified: Verified, subscriptions: &[Subscription]) -> Event {
    Event(read(verified.into_arrival(), subscriptions))
}

fn read(arrival: Arrival, subscriptions: &[Subscription]) -> NewEvent {
    let Arrival { id, source, received_at, verified_by, content } = arrival;
    let decoded = podium::decode(&content.body);
    let dedup_key = match &decoded.event_uid {
        Some(uid) => DedupKey::of_uid(&source, uid),
        None => DedupKey::of_body(&source, &content.body),
    };
    let ordering_key = decoded.keys.ordering_key(&decoded.event_type);
    let record = EventRecord {
        id,
        source,
        event_type: decoded.event_type.as_str().to_owned(),
        event_uid: decoded.event_uid,
        subject_uid: decoded.keys.subject_uid,
        conversation_uid: decoded.keys.conversation_uid,
        contact_uid: decoded.keys.contact_uid,
        location_uid: decoded.keys.location_uid,
        organization_uid: decoded.keys.organization_uid,
        occurred_at: decoded.keys.occurred_at,
        received_at,
        verified_by,
        decode_error: decoded.event.err().map(|error| error.to_string()),
    };
    let deliveries = subscriptions
        .iter()
        .filter_map(|subscription| subscription.delivery(&record, ordering_key.as_deref()))
        .collect();
    NewEvent { record, dedup_key, content, deliveries }
}
