//! Requests that failed verification: kept within bounds, read again, forgotten.

use std::collections::{HashMap, HashSet};

use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::map::{self, instant};
use super::{batch, sql};
use crate::model::{
    InQuarantine, PageRequest, QuarantineBounds, QuarantineFilter, QuarantineId, Quarantined,
    QuarantinedRequest,
};
use crate::store::kept;

/// How much there is room for; less than nothing where more is held than may be.
#[derive(Clone, Copy)]
struct Room {
    requests: i64,
    bytes: i64,
}

impl Room {
    const fn without(self, taken: Self) -> Self {
        Self { requests: self.requests - taken.requests, bytes: self.bytes.saturating_sub(taken.bytes) }
    }

    const fn is_overfull(self) -> bool {
        self.requests < 0 || self.bytes < 0
    }
}

/// See [`crate::store::Store::quarantine`].
pub(super) async fn keep(
    writer: &SqlitePool,
    batch: &[QuarantinedRequest],
    bounds: QuarantineBounds,
) -> Result<Vec<bool>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let rows = sqlx::query(sql::HELD_BEFORE)
        .bind(batch::json_ids(batch.iter().map(|new| new.request.id.as_uuid()))?)
        .fetch_all(&mut *transaction)
        .await?;
    let mut room = Room { requests: bounds.requests.into(), bytes: kept::count(bounds.bytes) };
    let share =
        Room { requests: bounds.held_requests_each.into(), bytes: kept::count(bounds.held_bytes_each) };
    let mut shares: HashMap<String, Room> = HashMap::new();
    for row in rows {
        let taken = Room { requests: row.try_get("requests")?, bytes: row.try_get("bytes")? };
        room = room.without(taken);
        shares.insert(row.try_get("source")?, share.without(taken));
    }
    let mut kept = HashSet::with_capacity(batch.len());

    let (mut held, rejected): (Vec<_>, Vec<_>) = batch.iter().partition(|new| new.request.held);
    held.sort_by_key(|new| new.request.id);
    for new in held {
        let one = Room { requests: 1, bytes: kept::count(new.weight()) };
        let share = shares.entry(new.request.source.clone()).or_insert(share);
        // What was refused counts against the share all the same: those after it come later still.
        *share = share.without(one);
        if share.is_overfull() {
            continue;
        }
        if room.without(one).is_overfull() {
            break;
        }
        room = room.without(one);
        add(&mut transaction, new).await?;
        kept.insert(new.request.id.as_uuid());
    }
    for new in rejected.into_iter().filter(|new| kept::count(new.weight()) <= room.bytes) {
        add(&mut transaction, new).await?;
        kept.insert(new.request.id.as_uuid());
    }
    let dropped = sqlx::query_scalar::<_, Uuid>(sql::MAKE_ROOM)
        .bind(room.requests)
        .bind(room.bytes)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    for id in dropped {
        kept.remove(&id);
    }
    Ok(batch.iter().map(|new| kept.contains(&new.request.id.as_uuid())).collect())
}

async fn add(connection: &mut SqliteConnection, new: &QuarantinedRequest) -> Result<(), sqlx::Error> {
    sqlx::query(sql::QUARANTINE)
        .bind(new.request.id.as_uuid())
        .bind(&new.request.source)
        .bind(instant(new.request.received_at))
        .bind(&new.request.reason)
        .bind(new.request.held)
        .bind(kept::count(new.weight()))
        .bind(kept::headers(&new.content.headers))
        .bind(&new.content.body[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// See [`crate::store::Store::quarantined`].
pub(super) async fn list(
    readers: &SqlitePool,
    filter: &QuarantineFilter,
    page: PageRequest<QuarantineId>,
) -> Result<Vec<Quarantined>, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, None, page.below);
    let rows = sqlx::query(sql::QUARANTINED)
        .bind(ids.start)
        .bind(ids.end)
        .bind(&filter.source)
        .bind(&filter.reason)
        .bind(page.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::quarantined).collect()
}

/// See [`crate::store::Store::quarantined_request`].
pub(super) async fn one(
    readers: &SqlitePool,
    id: QuarantineId,
) -> Result<Option<QuarantinedRequest>, sqlx::Error> {
    let row = sqlx::query(sql::QUARANTINED_REQUEST).bind(id.as_uuid()).fetch_optional(readers).await?;
    row.as_ref().map(map::quarantined_request).transpose()
}

/// See [`crate::store::Store::oldest_quarantined`].
pub(super) async fn oldest(
    readers: &SqlitePool,
    filter: &QuarantineFilter,
    after: Option<QuarantineId>,
    at_most: u32,
) -> Result<Vec<QuarantinedRequest>, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, after, None);
    let rows = sqlx::query(sql::OLDEST_QUARANTINED)
        .bind(ids.start)
        .bind(ids.end)
        .bind(&filter.source)
        .bind(&filter.reason)
        .bind(at_most)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::quarantined_request).collect()
}

/// See [`crate::store::Store::in_quarantine`].
pub(super) async fn count(readers: &SqlitePool) -> Result<Vec<InQuarantine>, sqlx::Error> {
    let rows = sqlx::query(sql::IN_QUARANTINE).fetch_all(readers).await?;
    rows.iter().map(map::in_quarantine).collect()
}

/// See [`crate::store::Store::forget_quarantined`].
pub(super) async fn forget(writer: &SqlitePool, ids: &[QuarantineId]) -> Result<u64, sqlx::Error> {
    let ids = batch::json_ids(ids.iter().map(|id| id.as_uuid()))?;
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let forgotten = sqlx::query(sql::FORGET_QUARANTINED).bind(ids).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(forgotten.rows_affected())
}

/// See [`crate::store::Store::empty_quarantine`].
pub(super) async fn empty(
    writer: &SqlitePool,
    filter: &QuarantineFilter,
    at_most: u32,
) -> Result<u64, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, None, None);
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let forgotten = sqlx::query(sql::EMPTY_QUARANTINE)
        .bind(ids.start)
        .bind(ids.end)
        .bind(&filter.source)
        .bind(&filter.reason)
        .bind(at_most)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(forgotten.rows_affected())
}
