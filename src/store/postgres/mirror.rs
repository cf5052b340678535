//! Writing the mirror, and making it anew.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::map::{self, column, instant};
use super::read;
use super::repeat::repeated;
use super::sql::mirror as sql;
use super::transaction::begin;
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
    let rows = sqlx::query(sql::UNMIRRORED).bind(i64::from(at_most)).fetch_all(pool).await?;
    with_contents(pool, rows).await
}

/// The events, as many as are read together, with what arrived.
async fn with_contents(pool: &PgPool, mut rows: Vec<PgRow>) -> Result<Vec<Unmirrored>, sqlx::Error> {
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
    let mut transaction = begin(pool).await?;
    let held = sqlx::query(sql::HOLD_MIRROR).bind(mirrored.token.0).fetch_optional(&mut *transaction).await?;
    if held.is_none() {
        return Ok(false);
    }
    if !mirrored.states.is_empty() {
        write_states(&mut transaction, mirrored).await?;
    }
    sqlx::query(sql::MIRROR_DONE)
        .bind(column(&mirrored.events, |event| event.as_uuid()))
        .bind(kept::skipped(&mirrored.skipped))
        .bind(column(&mirrored.fitting, |event| event.as_uuid()))
        .bind(mirrored.rebuilt_after.map(EventId::as_uuid))
        .bind(mirrored.events.last().map(|event| event.as_uuid()))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

async fn write_states(connection: &mut PgConnection, mirrored: &Mirrored) -> Result<(), sqlx::Error> {
    let states = &mirrored.states;
    let before = sqlx::query_scalar(sql::CONVERSATIONS_OF)
        .bind(kept::messages(states))
        .fetch_all(&mut *connection)
        .await?;
    sqlx::query(sql::MIRROR_STATES).bind(kept::states(states)).execute(&mut *connection).await?;
    sqlx::query(sql::MIRROR_TOLD_BY).bind(kept::told_by(&mirrored.told_by)).execute(&mut *connection).await?;
    let conversations = kept::conversations(states, before);
    if !conversations.is_empty() {
        sqlx::query(sql::MIRROR_TALKS).bind(conversations).execute(connection).await?;
    }
    Ok(())
}

/// See [`crate::store::MirrorStore::begin_rebuild`].
pub(super) async fn begin_rebuild(
    pool: &PgPool,
    readers: &PgPool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // Only shown: where it takes too long to count, it is not known.
    let total: i64 = sqlx::query_scalar(sql::COUNT_ALL_EVENTS).fetch_one(readers).await.unwrap_or_default();
    sqlx::query(sql::BEGIN_REBUILD).bind(instant(now)).bind(total).execute(pool).await?;
    Ok(())
}

/// See [`crate::store::MirrorStore::to_rebuild`].
pub(super) async fn to_rebuild(pool: &PgPool, at_most: u32) -> Result<Option<Rebuilding>, sqlx::Error> {
    let Some(work) = sqlx::query(sql::REBUILDING).fetch_optional(pool).await? else { return Ok(None) };
    let after: Uuid = work.try_get("rebuild_reached")?;
    let rows = sqlx::query(sql::NEXT_OF_REBUILD)
        .bind(after)
        .bind(work.try_get::<Option<Uuid>, _>("rebuild_until")?)
        .bind(i64::from(at_most))
        .fetch_all(pool)
        .await?;
    Ok(Some(Rebuilding { after: after.into(), events: with_contents(pool, rows).await? }))
}

/// See [`crate::store::MirrorStore::end_rebuild`].
pub(super) async fn end_rebuild(
    pool: &PgPool,
    token: LeaseToken,
    after: EventId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query(sql::END_REBUILD)
        .bind(token.0)
        .bind(after.as_uuid())
        .bind(instant(now))
        .execute(pool)
        .await?;
    Ok(ended.rows_affected() > 0)
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
