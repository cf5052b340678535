//! An example of each thing that answers show, made of the type that shows it: none can say what the API does not. What the
//! mirror shows has its examples in its own files.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::model::{
    Activity, Attempt, AttemptOutcome, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, DeliveryState,
    EventCount, EventId, EventRecord, HandlerConfiguration, HandlerStatus, Header, MirrorStanding,
    MirrorStatus, OnDead, Ordering, QuarantineId, Quarantined, QuarantinedRequest, Queue, Rebuild, Released,
    Replay, ReplayId, ReplayStatus, ResponseTimes, Secret, SecretDigest, SkippedEvent, SkippedStatus, Source,
    SourceStatus, Statistics, handlers,
};
use crate::podium::{EventType, Keys, samples};
use crate::query::deliveries::{DeliveryItem, WholeDelivery};
use crate::query::events::{EventItem, WholeEvent, WithPayload};

use crate::query::quarantine::{Deleted, ReleasedItem, RequestItem, WholeRequest};
use crate::query::replays::DryRun;
use crate::query::stats::Summary;

/// What an answer shows.
pub(in crate::query) trait Shown: ToSchema {
    fn example() -> Value;
}

/// The `data` of the sample event of this type, or the part of it at this place.
pub(in crate::query) fn sample<T: DeserializeOwned>(event_type: &EventType, place: &str) -> T {
    let body = samples::body(event_type).expect("there is a sample of every documented type");
    let body: Value = serde_json::from_str(body).expect("the samples are compiled in, and a test reads each");
    let part = body["data"].pointer(place).cloned().unwrap_or_default();
    serde_json::from_value(part).expect("the samples are compiled in, and a test reads each")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment that is written here, and a test reads each")
}

/// When the event of these examples arrived.
fn arrived_at() -> Timestamp {
    at("2026-11-22T09:00:01.000421Z")
}

fn event() -> EventRecord {
    let event_type = EventType::MessageReceived;
    let keys = Keys::of(&event_type, &sample(&event_type, ""));
    EventRecord {
        id: EventId::floor(arrived_at()),
        source: "default".to_owned(),
        event_type: event_type.to_string(),
        event_uid: Some("1f0b7a34-6f0e-4c80-9ad5-6d7a8e0f4c11".to_owned()),
        subject_uid: keys.subject_uid,
        conversation_uid: keys.conversation_uid,
        contact_uid: keys.contact_uid,
        location_uid: keys.location_uid,
        organization_uid: keys.organization_uid,
        occurred_at: keys.occurred_at,
        received_at: arrived_at(),
        verified_by: Some("current".to_owned()),
        decode_error: None,
        origin: crate::model::Origin::Webhook,
    }
}

fn content() -> Content {
    let body = samples::body(&EventType::MessageReceived).unwrap_or_default();
    let header = Header { name: "content-type".to_owned(), value: "application/json".to_owned() };
    Content { headers: vec![header], body: Bytes::from_static(body.as_bytes()) }
}

fn delivery() -> Delivery {
    let event = event();
    Delivery {
        id: DeliveryId::floor(arrived_at()),
        event_id: event.id,
        event_type: event.event_type,
        handler: "crm".to_owned(),
        ordering_key: format!("conversation:{}", event.conversation_uid.unwrap_or_default()),
        state: DeliveryState::Dead,
        attempts: 12,
        failures: 12,
        opened_at: arrived_at(),
        settled_at: Some(at("2026-11-22T21:14:09.310066Z")),
        note: None,
    }
}

fn kept() -> QuarantinedRequest {
    let content = content();
    let request = Quarantined {
        id: QuarantineId::floor(arrived_at()),
        source: "north".to_owned(),
        received_at: arrived_at(),
        reason: "signature_mismatch".to_owned(),
        held: true,
        size: content.body.len() as u64,
    };
    QuarantinedRequest { request, content }
}

impl Shown for EventItem<'_> {
    fn example() -> Value {
        json!(EventItem::from(&event()))
    }
}

impl Shown for WithPayload<'_> {
    fn example() -> Value {
        json!(WithPayload::of(&event(), Some(&content())))
    }
}

impl Shown for WholeEvent<'_> {
    fn example() -> Value {
        json!(WholeEvent::of(&event(), Some(&content())))
    }
}

impl Shown for DeliveryItem<'_> {
    fn example() -> Value {
        json!(DeliveryItem::from(&delivery()))
    }
}

impl Shown for WholeDelivery<'_> {
    fn example() -> Value {
        let delivery = delivery();
        let queue = Queue { pending: 3, due_at: arrived_at(), parked_by: Some(delivery.id) };
        let attempt = Attempt {
            number: 12,
            started_at: at("2026-11-22T21:14:09.297721Z"),
            duration: Duration::from_micros(12_345),
            outcome: AttemptOutcome::Failed,
            status: Some(500),
            output: Some("out of paper".to_owned()),
            error: Some("the answer was 500 Internal Server Error".to_owned()),
        };
        json!(WholeDelivery::of(&delivery, Some(&queue), &[attempt]))
    }
}

impl Shown for ReplayStatus<'_> {
    fn example() -> Value {
        let filter = DeliveryFilter {
            state: Some(DeliveryState::Dead),
            handler: Some("crm".to_owned()),
            ..DeliveryFilter::default()
        };
        let mut replay = Replay::new(filter, 20, Some(1204), "night shift".to_owned(), arrived_at());
        // Without chance, so that the document is the same each time.
        (replay.id, replay.replayed) = (ReplayId::floor(arrived_at()), 301);
        json!(ReplayStatus::from(&replay))
    }
}

impl Shown for DryRun {
    fn example() -> Value {
        json!(DryRun { dry_run: true, matched: Some(1204) })
    }
}

impl Shown for HandlerStatus<'_> {
    fn example() -> Value {
        let configured = [HandlerConfiguration {
            name: "crm".to_owned(),
            kind: "http".to_owned(),
            events: ["message.*", "contact.*"].iter().filter_map(|pattern| pattern.parse().ok()).collect(),
            locations: Vec::new(),
            concurrency: 8,
            ordering: Ordering::Conversation,
            on_dead: OnDead::Continue,
        }];
        let backlog = [Backlog {
            handler: "crm".to_owned(),
            open: 312,
            parked: 1,
            dead: 17,
            oldest_due_at: Some(at("2026-11-22T09:30:00.25Z")),
        }];
        let activity = [Activity { handler: "crm".to_owned(), done: 2893, failed: 18, failing_until: None }];
        let now = at("2026-11-22T09:31:00Z");
        json!(handlers(&configured, &backlog, &[], &activity, at("2026-11-22T09:30:00Z"), now).first())
    }
}

impl Shown for SourceStatus<'_> {
    fn example() -> Value {
        let digest = SecretDigest::from([0; 16]);
        let secret = Secret { name: "current".to_owned(), digest, not_after: None };
        let source = Source { name: "north".to_owned(), allow_unsigned: false, secrets: vec![secret] };
        json!(source.status(&[], arrived_at()))
    }
}

impl Shown for RequestItem<'_> {
    fn example() -> Value {
        json!(RequestItem::from(&kept().request))
    }
}

impl Shown for WholeRequest<'_> {
    fn example() -> Value {
        json!(WholeRequest::from(&kept()))
    }
}

impl Shown for Deleted {
    fn example() -> Value {
        json!(Deleted { deleted: 17 })
    }
}

impl Shown for ReleasedItem {
    fn example() -> Value {
        let released =
            Released { examined: 812, released: 806, duplicates: 4, still_unverified: 2, complete: true };
        json!(ReleasedItem::from(released))
    }
}

impl Shown for Summary<'_> {
    fn example() -> Value {
        let event = |event_type: &str, count| EventCount {
            event_type: event_type.to_owned(),
            source: "default".to_owned(),
            hour: at("2026-11-22T09:00:00Z"),
            count,
        };
        let statistics = Statistics {
            events: vec![event("call.missed", 3), event("message.received", 41)],
            deliveries: vec![(DeliveryState::Done, 43), (DeliveryState::Pending, 1)],
            responses: ResponseTimes {
                count: 12,
                average: Some(Duration::from_secs(312)),
                median: Some(Duration::from_secs(95)),
                ninetieth: Some(Duration::from_secs(1280)),
            },
        };
        json!(Summary::of(&statistics, at("2026-11-21T10:00:00Z"), at("2026-11-22T10:00:00Z")))
    }
}

impl Shown for MirrorStanding {
    fn example() -> Value {
        let rebuild = Rebuild { started_at: arrived_at(), total: 48_210, done: 12_000, ended_at: None };
        let status = MirrorStatus {
            waiting: 2,
            oldest_at: Some(at("2026-11-22T09:31:00Z")),
            skipped: 1,
            rebuild: Some(rebuild),
        };
        json!(status.standing(at("2026-11-22T09:31:00.5Z")))
    }
}

impl Shown for SkippedStatus<'_> {
    fn example() -> Value {
        let skipped = SkippedEvent { event_id: event().id, reason: "the body can't be read".to_owned() };
        json!(SkippedStatus::from(&skipped))
    }
}
