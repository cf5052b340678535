//! Making events durable, with the deliveries that follow from them.

use std::collections::{HashMap, HashSet};

use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::map::{column, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::{DedupKey, EventId, NewDelivery, NewEvent};
use crate::store::{Acceptance, StoreError, kept};

/// How often an event is tried whose earlier twin is there when it is written, and forgotten when it is looked up.
const TRIES: usize = 3;

type Known = HashMap<DedupKey, Acceptance>;

/// See [`crate::store::Store::accept`].
pub(super) async fn accept(pool: &PgPool, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
    let mut known = Known::with_capacity(batch.len());
    let mut open = first_of_each_key(batch);
    for _ in 0..TRIES {
        if open.is_empty() {
            break;
        }
        let new: HashSet<EventId> =
            repeated(|| insert(pool, &open)).await?.into_iter().map(EventId::from).collect();
        let (new, seen): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|event| new.contains(&event.record.id));
        known.extend(new.iter().map(|event| (event.dedup_key, Acceptance::Accepted(event.record.id))));
        open = add_earlier_twins(pool, seen, &mut known).await?;
    }
    answers(batch, known).ok_or_else(|| {
        StoreError::Unavailable("an event was forgotten as often as it was accepted again".into())
    })
}

fn first_of_each_key(batch: &[NewEvent]) -> Vec<&NewEvent> {
    let mut met = HashSet::with_capacity(batch.len());
    batch.iter().filter(|event| met.insert(event.dedup_key)).collect()
}

/// An answer for each event; one that comes again within the batch is a duplicate of its first.
fn answers(batch: &[NewEvent], mut known: Known) -> Option<Vec<Acceptance>> {
    let answer = |event: &NewEvent| {
        let known = known.get_mut(&event.dedup_key)?;
        let (Acceptance::Accepted(id) | Acceptance::Duplicate(id)) = *known;
        Some(std::mem::replace(known, Acceptance::Duplicate(id)))
    };
    batch.iter().map(answer).collect()
}

async fn insert(pool: &PgPool, events: &[&NewEvent]) -> Result<Vec<Uuid>, sqlx::Error> {
    match events {
        [event] => insert_one(pool, event).await,
        events => insert_many(pool, events).await,
    }
}

async fn insert_one(pool: &PgPool, event: &NewEvent) -> Result<Vec<Uuid>, sqlx::Error> {
    let NewEvent { record, dedup_key, content, deliveries } = event;
    sqlx::query_scalar(sql::ACCEPT_ONE)
        .bind(record.id.as_uuid())
        .bind(&dedup_key.as_bytes()[..])
        .bind(&record.source)
        .bind(&record.event_type)
        .bind(&record.event_uid)
        .bind(&record.subject_uid)
        .bind(&record.conversation_uid)
        .bind(&record.contact_uid)
        .bind(&record.location_uid)
        .bind(&record.organization_uid)
        .bind(record.occurred_at.map(instant))
        .bind(instant(record.received_at))
        .bind(&record.verified_by)
        .bind(&record.decode_error)
        .bind(kept::headers(&content.headers))
        .bind(&content.body[..])
        .bind(column(deliveries, |delivery| delivery.id.as_uuid()))
        .bind(column(deliveries, |delivery| delivery.handler.as_str()))
        .bind(column(deliveries, |delivery| delivery.ordering_key.as_str()))
        .bind(column(deliveries, |delivery| instant(delivery.opened_at)))
        .bind(record.origin.kept())
        .fetch_all(pool)
        .await
}

async fn insert_many(pool: &PgPool, events: &[&NewEvent]) -> Result<Vec<Uuid>, sqlx::Error> {
    let owed: Vec<(&NewEvent, &NewDelivery)> = events
        .iter()
        .flat_map(|event| event.deliveries.iter().map(move |delivery| (*event, delivery)))
        .collect();
    sqlx::query_scalar(sql::ACCEPT)
        .bind(column(events, |event| event.record.id.as_uuid()))
        .bind(column(events, |event| &event.dedup_key.as_bytes()[..]))
        .bind(column(events, |event| event.record.source.as_str()))
        .bind(column(events, |event| event.record.event_type.as_str()))
        .bind(column(events, |event| event.record.event_uid.as_deref()))
        .bind(column(events, |event| event.record.subject_uid.as_deref()))
        .bind(column(events, |event| event.record.conversation_uid.as_deref()))
        .bind(column(events, |event| event.record.contact_uid.as_deref()))
        .bind(column(events, |event| event.record.location_uid.as_deref()))
        .bind(column(events, |event| event.record.organization_uid.as_deref()))
        .bind(column(events, |event| event.record.occurred_at.map(instant)))
        .bind(column(events, |event| instant(event.record.received_at)))
        .bind(column(events, |event| event.record.verified_by.as_deref()))
        .bind(column(events, |event| event.record.decode_error.as_deref()))
        .bind(column(events, |event| kept::headers(&event.content.headers)))
        .bind(column(events, |event| &event.content.body[..]))
        .bind(column(&owed, |(_, delivery)| delivery.id.as_uuid()))
        .bind(column(&owed, |(event, _)| event.record.id.as_uuid()))
        .bind(column(&owed, |(_, delivery)| delivery.handler.as_str()))
        .bind(column(&owed, |(_, delivery)| delivery.ordering_key.as_str()))
        .bind(column(&owed, |(_, delivery)| instant(delivery.opened_at)))
        .bind(column(events, |event| event.record.origin.kept()))
        .fetch_all(pool)
        .await
}

/// Looks up the events that were there before; returns those that are not, any more.
async fn add_earlier_twins<'a>(
    pool: &PgPool,
    events: Vec<&'a NewEvent>,
    known: &mut Known,
) -> Result<Vec<&'a NewEvent>, sqlx::Error> {
    if events.is_empty() {
        return Ok(events);
    }
    let rows = sqlx::query(sql::KNOWN_KEYS)
        .bind(column(&events, |event| &event.dedup_key.as_bytes()[..]))
        .fetch_all(pool)
        .await?;
    let mut ids: HashMap<[u8; 16], Uuid> = HashMap::with_capacity(rows.len());
    for row in &rows {
        ids.insert(row.try_get("dedup_key")?, row.try_get("id")?);
    }
    let mut gone = Vec::new();
    for event in events {
        match ids.get(event.dedup_key.as_bytes()) {
            Some(&id) => drop(known.insert(event.dedup_key, Acceptance::Duplicate(id.into()))),
            None => gone.push(event),
        }
    }
    Ok(gone)
}
