//! What conditions and templates speak of.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::read;
use crate::model::{DeliveryId, EventRecord};

/// The names that a condition knows.
pub(super) const OF_EVENT: &[&str] = &["event", "data", "metadata", "body"];
/// The names that a template knows.
pub(super) const OF_DELIVERY: &[&str] = &["event", "data", "metadata", "body", "delivery"];
/// What `event` has, by the names of the REST API.
pub(super) const EVENT: &[&str] = &[
    "id",
    "type",
    "source",
    "eventUid",
    "subjectUid",
    "conversationUid",
    "contactUid",
    "locationUid",
    "organizationUid",
    "occurredAt",
    "receivedAt",
    "verifiedBy",
    "decodeError",
    "origin",
];
/// What `delivery` has.
pub(super) const DELIVERY: &[&str] = &["id", "attempt", "handler"];

/// What conditions and templates speak of: one event, and perhaps one delivery of it. The body is read when something of it
/// is first asked for, once for everybody who is given this.
///
/// - `event`: what the ledger knows of it, by the names of the REST API;
/// - `data`, `metadata`: the body's own, as Podium sent it; undefined when the body is no JSON object;
/// - `body`: the whole body as a text;
/// - `delivery`: `id`, `attempt` and `handler`, for templates only.
#[derive(Clone)]
pub struct Scope(pub(super) Value);

impl Scope {
    /// Of an event and its body.
    #[must_use]
    pub fn of_event(event: &EventRecord, body: &Bytes) -> Self {
        Self::new(event, body, None)
    }

    /// Of an event and its body, and the attempt with this number at the delivery that `handler` owes.
    #[must_use]
    pub fn of_delivery(
        event: &EventRecord,
        body: &Bytes,
        id: DeliveryId,
        handler: &str,
        attempt: u32,
    ) -> Self {
        let values = [id.to_string().into(), attempt.into(), Value::from(handler)];
        Self::new(event, body, Some(Value::from_pairs(DELIVERY.iter().copied().zip(values))))
    }

    fn new(event: &EventRecord, body: &Bytes, delivery: Option<Value>) -> Self {
        let event = self::event(event);
        Self(Value::from_object(Names { event, delivery, body: body.clone(), read: OnceLock::new() }))
    }
}

fn event(event: &EventRecord) -> Value {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::UNDEFINED, Value::from);
    let values = [
        event.id.to_string().into(),
        event.event_type.as_str().into(),
        event.source.as_str().into(),
        text(&event.event_uid),
        text(&event.subject_uid),
        text(&event.conversation_uid),
        text(&event.contact_uid),
        text(&event.location_uid),
        text(&event.organization_uid),
        event.occurred_at.map_or(Value::UNDEFINED, |at| at.to_string().into()),
        event.received_at.to_string().into(),
        text(&event.verified_by),
        text(&event.decode_error),
        event.origin.as_str().into(),
    ];
    Value::from_pairs(EVENT.iter().copied().zip(values))
}

/// The names at the top.
struct Names {
    event: Value,
    delivery: Option<Value>,
    body: Bytes,
    read: OnceLock<Option<Value>>,
}

impl Names {
    /// Something of the body, if that is a JSON object.
    fn of_body(&self, name: &str) -> Option<Value> {
        let read = self.read.get_or_init(|| read::json(&String::from_utf8_lossy(&self.body)));
        read.as_ref()?.get_attr(name).ok()
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        match name {
            "event" => Some(self.event.clone()),
            "data" | "metadata" => self.of_body(name),
            "body" => Some(String::from_utf8_lossy(&self.body).into()),
            "delivery" => self.delivery.clone(),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// What customers write is not for the log.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}
