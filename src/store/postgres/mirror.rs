//! Writing the mirror, and making it anew.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::map::{self, column, instant};
use super::read;
use super::repeat::repeated;
use super::sql::mirror as sql;
use crate::model::{EventId, EventRecord, MirrorStatus, PageRequest, SkippedEvent};
use crate::store::{LeaseToken, MirrorLease, Mirrored, Rebuilding, Unmirrored, kept};

/// See [`crate::store::MirrorStore::lease_mirror`].
pub(super) async fn lease(pool: &PgPool, lease: &MirrorLease) -> Result<bool, sqlx::Error> {
    let leased = sqlx::query(sql::LEASE_MIRROR)
        .bind(lease.token.0)
        .bind(instant(lease.now))
        .bind(instant(lease.until))
        .execute(pool)
        .await?;
    Ok(leased.rows_affected() > 0)
}

/// See [`crate::store::MirrorStore::unmirrored`].
pub(super) async fn unmirrored(pool: &PgPool, at_most: u32) -> Result<Vec<Unmirrored>, sqlx::Error> {
    let mut rows = sqlx::query(sql::UNMIRRORED).bind(i64::from(at_most)).fetch_all(pool).await?;
    let sizes: Vec<Option<i64>> = rows.iter().map(|row| row.try_get("size")).collect::<Result<_, _>>()?;
    rows.truncate(kept::fitting(sizes.into_iter()));
    let events: Vec<EventRecord> = rows.iter().map(map::event).collect::<Result<_, _>>()?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let mut contents: HashMap<_, _> = read::contents(pool, &ids).await?.into_iter().collect();
    let with_content = |event: EventRecord| Unmirrored { content: contents.remove(&event.id), event };
    Ok(events.into_iter().map(with_content).collect())
}

/// See [`crate::store::MirrorStore::mirror`].
pub(super) async fn mirror(pool: &PgPool, mirrored: &Mirrored) -> Result<bool, sqlx::Error> {
    repeated(|| write(pool, mirrored)).await
}

async fn write(pool: &PgPool, mirrored: &Mirrored) -> Result<bool, sqlx::Error> {
    // Dropped before its commit, it is undone before the connection is used again.
    let mut transaction = pool.begin().await?;
    let held = sqlx::query(sql::HOLD_MIRROR).bind(mirrored.token.0).fetch_optional(&mut *transaction).await?;
    if held.is_none() {
        return Ok(false);
    }
    write_states(&mut transaction, mirrored).await?;
    sqlx::query(sql::MIRROR_DONE)
        .bind(column(&mirrored.events, |event| event.as_uuid()))
        .bind(kept::skipped(&mirrored.skipped))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

async fn write_states(connection: &mut PgConnection, mirrored: &Mirrored) -> Result<(), sqlx::Error> {
    if mirrored.states.is_empty() {
        return Ok(());
    }
    sqlx::query(sql::MIRROR_STATES).bind(kept::states(&mirrored.states)).execute(&mut *connection).await?;
    sqlx::query(sql::MIRROR_TOLD_BY).bind(kept::told_by(&mirrored.told_by)).execute(&mut *connection).await?;
    let conversations = kept::conversations(&mirrored.states);
    if !conversations.is_empty() {
        sqlx::query(sql::MIRROR_TALKS).bind(conversations).execute(connection).await?;
    }
    Ok(())
}

/// See [`crate::store::MirrorStore::begin_rebuild`].
pub(super) async fn begin_rebuild(pool: &PgPool, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(sql::BEGIN_REBUILD).bind(instant(now)).execute(pool).await?;
    Ok(())
}

/// See [`crate::store::MirrorStore::rebuild`].
pub(super) async fn rebuild(
    pool: &PgPool,
    token: LeaseToken,
    at_most: u32,
    now: Timestamp,
) -> Result<Rebuilding, sqlx::Error> {
    let taken_up: Option<i64> = sqlx::query_scalar(sql::REBUILD)
        .bind(token.0)
        .bind(i64::from(at_most))
        .bind(instant(now))
        .fetch_optional(pool)
        .await?;
    Ok(kept::rebuilding(taken_up))
}

/// See [`crate::store::MirrorStore::mirror_status`].
pub(super) async fn status(readers: &PgPool) -> Result<MirrorStatus, sqlx::Error> {
    let row =
        sqlx::query(sql::MIRROR_STATUS).bind(i64::from(MirrorStatus::COUNTED)).fetch_one(readers).await?;
    map::mirror_status(&row)
}

/// See [`crate::store::MirrorStore::skipped`].
pub(super) async fn skipped(
    readers: &PgPool,
    page: PageRequest<EventId>,
) -> Result<Vec<SkippedEvent>, sqlx::Error> {
    let below = page.below.map_or(Uuid::max(), EventId::as_uuid);
    let rows = sqlx::query(sql::SKIPPED).bind(below).bind(i64::from(page.limit)).fetch_all(readers).await?;
    rows.iter()
        .map(|row| {
            Ok(SkippedEvent {
                event_id: row.try_get::<Uuid, _>("event_id")?.into(),
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}
