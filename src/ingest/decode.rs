//! Third stage: what does it say, and who wants to hear of it? Whatever is in the body, the answer is an event: a
//! correctly signed request is never refused for what it says.

use std::cell::LazyCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::subscriber::Subscriber;
use super::verify::Verified;
use crate::model::{Arrival, DedupKey, EventRecord, NewEvent, Origin, TraceContext};
use crate::podium;
use crate::shape::Scope;

/// An event with the deliveries that follow from it, ready to be accepted. Only what was verified becomes one.
pub(super) struct Event {
    new: NewEvent,
    ordering_key: Option<String>,
}

impl Event {
    /// See [`labels`].
    pub(super) fn labels(&self) -> (String, &'static str) {
        labels(&self.new)
    }

    /// What a proxy in front said of its own step in a trace.
    pub(super) fn caused_by(&self) -> Option<(TraceContext, bool)> {
        self.new.content.header("traceparent").and_then(TraceContext::read)
    }

    /// The same, with the lane that it goes, of so many: all that must stay in order go the same one.
    pub(super) fn into_lane(self, lanes: usize) -> (NewEvent, usize) {
        let mut hasher = DefaultHasher::new();
        match &self.ordering_key {
            Some(key) => key.hash(&mut hasher),
            None => self.new.dedup_key.hash(&mut hasher),
        }
        let lane = hasher.finish() % lanes as u64;
        (self.new, usize::try_from(lane).unwrap_or(0))
    }
}

/// Reads a verified request and works out which handlers owe it.
pub(super) fn decode(verified: Verified, subscribers: &[Subscriber]) -> Event {
    let arrival = verified.into_arrival();
    let now = arrival.received_at;
    let (new, ordering_key) = again(arrival, Origin::Webhook, subscribers, now);
    Event { new, ordering_key }
}

/// An event's source, and its type among those that are documented: anything else is one more, however many there are.
pub(super) fn labels(event: &NewEvent) -> (String, &'static str) {
    let event_type = &event.record.event_type;
    let known = podium::EventType::ALL.iter().find(|known| known.as_str() == event_type);
    (event.record.source.clone(), known.map_or("other", podium::EventType::as_str))
}

/// Reads what was verified before, and kept, or came by no request: what is handed to the store, and what it is ordered with; none
/// when it stands alone. The same arrival always gives the same event; its deliveries are by the subscriptions of today, and begin
/// `now`: what waited must not have used up the time in which it is tried.
pub(super) fn again(
    arrival: Arrival,
    origin: Origin,
    subscribers: &[Subscriber],
    now: Timestamp,
) -> (NewEvent, Option<String>) {
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
        origin,
    };
    let deliveries = {
        // Only conditions have use for it, and they share it.
        let scope = LazyCell::new(|| Scope::of_event(&record, &content.body));
        let owed =
            |subscriber: &Subscriber| subscriber.delivery(&record, ordering_key.as_deref(), now, || &scope);
        subscribers.iter().filter_map(owed).collect()
    };
    (NewEvent { record, dedup_key, content, deliveries }, ordering_key)
}
