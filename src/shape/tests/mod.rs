//! What conditions and templates promise.

mod conditions;
mod properties;
mod templates;

use bytes::Bytes;

use super::{Condition, Mistake, Scope, Template};
use crate::model::{DeliveryId, EventId, EventRecord};

/// A failed text message, of which Podium left a field null and another out.
const FAILED: &str = r#"{
    "data": {
        "body": "She said \"hi\"\nand </b> left",
        "contactName": null,
        "failureReason": "no such number",
        "conversation": {"uid": "c-1", "channel": {"type": "sms", "identifier": "+15550100"}},
        "items": [{"type": "text", "body": "one"}, {"type": "image", "body": null}],
        "amount": 1250
    },
    "metadata": {"eventType": "message.failed", "eventUid": "u-1", "version": "2021.04.01"}
}"#;

fn event() -> EventRecord {
    let received_at = "2026-01-02T03:04:05Z".parse().unwrap();
    EventRecord {
        id: EventId::floor(received_at),
        source: "north".to_owned(),
        event_type: "message.failed".to_owned(),
        event_uid: Some("u-1".to_owned()),
        subject_uid: None,
        conversation_uid: Some("c-1".to_owned()),
        contact_uid: None,
        location_uid: None,
        organization_uid: None,
        occurred_at: None,
        received_at,
        verified_by: Some("current".to_owned()),
        decode_error: None,
        origin: crate::model::Origin::Webhook,
    }
}

fn scope(body: &[u8]) -> Scope {
    Scope::of_event(&event(), &Bytes::copy_from_slice(body))
}

fn is_met(condition: &str, body: &str) -> Result<bool, Mistake> {
    Condition::compile(condition)?.is_met(&scope(body.as_bytes()))
}

fn filled_in(template: &str, content_type: &str, body: &[u8]) -> Result<String, Mistake> {
    let event = event();
    let id = DeliveryId::floor(event.received_at);
    let scope = Scope::of_delivery(&event, &Bytes::copy_from_slice(body), id, "chat", 3);
    Template::compile(template, content_type)?.fill_in(&scope)
}
