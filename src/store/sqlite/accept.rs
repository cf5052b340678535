//! Making events durable, with the deliveries that follow from them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::batch::{self, NewEvents};
use super::sql;
use crate::model::{DedupKey, EventId, NewEvent};
use crate::store::Acceptance;

/// See [`crate::store::Store::accept`].
pub(super) async fn accept(writer: &SqlitePool, batch: &[NewEvent]) -> Result<Vec<Acceptance>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let earlier = earlier_twins(&mut transaction, batch).await?;
    let mut known: HashMap<DedupKey, EventId> = HashMap::with_capacity(batch.len());
    let mut new = Vec::with_capacity(batch.len());
    let mut answers = Vec::with_capacity(batch.len());
    for event in batch {
        answers.push(match known.entry(event.dedup_key) {
            Entry::Occupied(first) => Acceptance::Duplicate(*first.get()),
            Entry::Vacant(first) => match earlier.get(event.dedup_key.as_bytes()) {
                Some(&id) => Acceptance::Duplicate(*first.insert(id.into())),
                None => {
                    new.push(event);
                    Acceptance::Accepted(*first.insert(event.record.id))
                }
            },
        });
    }
    add(&mut transaction, &new).await?;
    transaction.commit().await?;
    Ok(answers)
}

/// The events that were there before, by their keys. Nobody else writes until this transaction commits.
async fn earlier_twins(
    connection: &mut SqliteConnection,
    batch: &[NewEvent],
) -> Result<HashMap<[u8; 16], Uuid>, sqlx::Error> {
    let keys = batch.iter().map(|event| Uuid::from_bytes(*event.dedup_key.as_bytes()));
    let rows = sqlx::query(sql::KNOWN_KEYS).bind(batch::json_ids(keys)?).fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get::<Uuid, _>("dedup_key")?.into_bytes(), row.try_get("id")?)))
        .collect()
}

async fn add(connection: &mut SqliteConnection, events: &[&NewEvent]) -> Result<(), sqlx::Error> {
    let (events, bytes) = NewEvents::of(events);
    sqlx::query(sql::ACCEPT).bind(batch::json(&events)?).bind(bytes).execute(connection).await?;
    Ok(())
}
