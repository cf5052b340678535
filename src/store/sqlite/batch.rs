//! Batches as one value. Every statement costs a way to SQLite's thread and back, so what is written together is
//! written by a few statements, whatever there is of it: they read the batch from a JSON text, element by element.
//! Binary values are hexadecimal texts in it, and bodies come beside it, since JSON can't hold any bytes.

use std::borrow::Cow;

use serde::Serialize;
use sqlx::Error;
use uuid::Uuid;
use uuid::fmt::Simple;

use super::map::instant;
use crate::model::{DeliveryId, NewDelivery, NewEvent};
use crate::store::{FinishedAttempt, Lease, Settlement, kept};

/// A value as JSON text.
pub(super) fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}

/// Identifiers as a JSON array of hexadecimal texts.
pub(super) fn json_ids(ids: impl Iterator<Item = Uuid>) -> Result<String, Error> {
    json(&ids.map(Uuid::simple).collect::<Vec<_>>())
}

/// New events, as ACCEPT takes them. Arrays, in the order of the columns: names would be most of the text.
#[derive(Serialize)]
pub(super) struct NewEvents<'a> {
    events: Vec<EventLine<'a>>,
    contents: Vec<Place>,
    deliveries: Vec<DeliveryLine<'a>>,
}

/// A ledger line.
type EventLine<'a> = (
    Simple,
    Simple,
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<i64>,
    i64,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'static str>,
);

/// An event, where its headers begin among the bytes, and how long headers and body are.
type Place = (Simple, usize, usize, usize);

/// A delivery, its event, its queue, and since when it is open.
type DeliveryLine<'a> = (Simple, Simple, &'a str, &'a str, i64);

impl<'a> NewEvents<'a> {
    /// The events, and the bytes of their headers and bodies, one after another.
    pub(super) fn of(events: &[&'a NewEvent]) -> (Self, Vec<u8>) {
        let mut bytes = Vec::with_capacity(events.iter().map(|event| event.content.body.len() + 1024).sum());
        let contents = events.iter().map(|event| place(event, &mut bytes)).collect();
        let deliveries = events
            .iter()
            .flat_map(|event| event.deliveries.iter().map(|delivery| delivery_line(event, delivery)))
            .collect();
        (Self { events: events.iter().map(|event| event_line(event)).collect(), contents, deliveries }, bytes)
    }
}

fn event_line(NewEvent { record, dedup_key, .. }: &NewEvent) -> EventLine<'_> {
    (
        record.id.as_uuid().simple(),
        Uuid::from_bytes(*dedup_key.as_bytes()).simple(),
        &record.source,
        &record.event_type,
        record.event_uid.as_deref(),
        record.subject_uid.as_deref(),
        record.conversation_uid.as_deref(),
        record.contact_uid.as_deref(),
        record.location_uid.as_deref(),
        record.organization_uid.as_deref(),
        record.occurred_at.map(instant),
        instant(record.received_at),
        record.verified_by.as_deref(),
        record.decode_error.as_deref(),
        record.origin.kept(),
    )
}

/// Adds what arrived to the bytes. SQL counts from one.
fn place(event: &NewEvent, bytes: &mut Vec<u8>) -> Place {
    let (at, headers) = (bytes.len() + 1, kept::headers(&event.content.headers));
    bytes.extend_from_slice(headers.as_bytes());
    bytes.extend_from_slice(&event.content.body);
    (event.record.id.as_uuid().simple(), at, headers.len(), event.content.body.len())
}

fn delivery_line<'a>(event: &NewEvent, delivery: &'a NewDelivery) -> DeliveryLine<'a> {
    (
        delivery.id.as_uuid().simple(),
        event.record.id.as_uuid().simple(),
        &delivery.handler,
        &delivery.ordering_key,
        instant(delivery.opened_at),
    )
}

/// Leases, as RENEW and LOST take them: the queue and the token.
pub(super) fn leases<'a>(leases: impl Iterator<Item = &'a Lease>) -> Result<String, Error> {
    let leases =
        leases.map(|lease| (&lease.queue.handler, &lease.queue.ordering_key, lease.token.0.simple()));
    json(&leases.collect::<Vec<_>>())
}

/// Settlements whose leases are held, as SETTLE takes them.
#[derive(Serialize)]
pub(super) struct Settlements<'a> {
    queues: Vec<QueueLine<'a>>,
    attempts: Vec<AttemptLine<'a>>,
}

/// A queue, the token of its lease, when it is due, what parks it, whether it is untouched, and whether it waits to be
/// tried again.
type QueueLine<'a> = (&'a str, &'a str, Simple, i64, Option<Simple>, bool, bool);

/// An attempt: its queue, its delivery and what became of that, and how it went.
type AttemptLine<'a> = (
    &'a str,
    &'a str,
    Simple,
    &'a str,
    Option<i64>,
    i64,
    i64,
    &'a str,
    Option<i32>,
    Option<Cow<'a, str>>,
    Option<Cow<'a, str>>,
);

impl<'a> Settlements<'a> {
    pub(super) fn of(settlements: &[&'a Settlement]) -> Self {
        let attempts = settlements.iter().flat_map(|settlement| {
            settlement.attempts.iter().map(|attempt| attempt_line(&settlement.lease, attempt))
        });
        Self {
            attempts: attempts.collect(),
            queues: settlements.iter().map(|settlement| queue_line(settlement)).collect(),
        }
    }
}

fn queue_line(settlement: &Settlement) -> QueueLine<'_> {
    let Lease { queue, token } = &settlement.lease;
    (
        &queue.handler,
        &queue.ordering_key,
        token.0.simple(),
        instant(settlement.due_at),
        settlement.parked_by.map(|id| DeliveryId::as_uuid(id).simple()),
        settlement.attempts.is_empty(),
        kept::retries(settlement),
    )
}

fn attempt_line<'a>(lease: &'a Lease, attempt: &'a FinishedAttempt) -> AttemptLine<'a> {
    (
        &lease.queue.handler,
        &lease.queue.ordering_key,
        attempt.delivery.as_uuid().simple(),
        attempt.state.as_str(),
        kept::settled_at(attempt).map(instant),
        instant(attempt.started_at),
        kept::microseconds(attempt.duration),
        attempt.outcome.as_str(),
        attempt.status,
        attempt.output.as_deref().map(kept::text),
        attempt.error.as_deref().map(kept::text),
    )
}
