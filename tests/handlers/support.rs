//! A piece of work, and handlers to give it to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use lectern::clock::{Clock, SystemClock};
use lectern::config::Settings;
use lectern::handlers::{Handler, Registry, Work};
use lectern::model::{Content, Delivery, DeliveryId, DeliveryState, EventId, EventRecord, Header};
use serde_json::Value;

/// How long after its timeout a call is dropped.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// A body, a template, what it makes of the body, and what that is.
pub(crate) const HELLO: &str = r#"{"data":{"body":"\"hi\""}}"#;
pub(crate) const TEMPLATE: &str = "{{ event.type }}: {{ data.body }}";
pub(crate) const MADE: &str = r#"message.received: "hi""#;
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// The second attempt at a message, which begins now.
pub(crate) fn work(body: impl Into<Bytes>) -> Work {
    let received_at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let event = EventRecord {
        id: EventId::at(received_at),
        source: "default".to_owned(),
        event_type: "message.received".to_owned(),
        event_uid: Some("event-1".to_owned()),
        subject_uid: Some("message-1".to_owned()),
        conversation_uid: Some("conversation-1".to_owned()),
        contact_uid: None,
        location_uid: Some("location-1".to_owned()),
        organization_uid: None,
        occurred_at: None,
        received_at,
        verified_by: Some("current".to_owned()),
        decode_error: None,
        origin: lectern::model::Origin::Webhook,
    };
    let delivery = Delivery {
        id: DeliveryId::at(received_at),
        event_id: event.id,
        event_type: event.event_type.clone(),
        handler: "mine".to_owned(),
        ordering_key: "conversation-1".to_owned(),
        state: DeliveryState::Pending,
        attempts: 1,
        failures: 1,
        opened_at: received_at,
        settled_at: None,
        note: None,
    };
    let headers = vec![Header { name: "content-type".to_owned(), value: "application/json; v=1".to_owned() }];
    Work {
        event,
        content: Content { headers, body: body.into() },
        delivery,
        started_at: SystemClock.now(),
        timeout: Duration::from_secs(20),
    }
}

pub(crate) fn handler(kind: &str, settings: Value) -> Box<dyn Handler> {
    Registry::built_in().build(kind, table(settings)).unwrap()
}

/// What a kind has against its settings.
pub(crate) fn refusal(kind: &str, settings: Value) -> String {
    Registry::built_in().build(kind, table(settings)).err().expect("the settings are refused").to_string()
}

fn table(settings: Value) -> Settings {
    match settings {
        Value::Object(table) => Settings::new(table),
        other => panic!("settings are a table, not {other}"),
    }
}

/// Waits until something is so, and fails when it is not so in time.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
