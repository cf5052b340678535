//! Replays of many deliveries.

use jiff::Timestamp;
use sqlx::{PgPool, Row};

use super::map::{self, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::{DeliveryFilter, DeliveryState, PageRequest, Replay, ReplayId};
use crate::store::replay::{begins_behind, matched};
use crate::store::{Portion, Reopened, ReplayLease, kept};

/// See [`crate::store::Store::count_closed`].
pub(super) async fn count_closed(
    readers: &PgPool,
    filter: &DeliveryFilter,
    by: Timestamp,
) -> Result<Option<u64>, sqlx::Error> {
    let counted = map::narrowed(sqlx::query(sql::COUNT_CLOSED), filter)
        .bind(instant(by))
        .persistent(false)
        .fetch_one(readers)
        .await;
    match counted {
        Ok(row) => Ok(Some(row.try_get::<i64, _>(0)?.unsigned_abs())),
        Err(error) if is_out_of_time(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the database ended the statement because it took too long.
fn is_out_of_time(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|refused| refused.code().as_deref() == Some("57014"))
}

/// See [`crate::store::Store::add_replay`].
pub(super) async fn add(pool: &PgPool, replay: &Replay) -> Result<(), sqlx::Error> {
    sqlx::query(sql::ADD_REPLAY)
        .bind(replay.id.as_uuid())
        .bind(kept::filter(&replay.filter))
        .bind(i64::from(replay.rate))
        .bind(instant(replay.created_at))
        .bind(kept::text(&replay.created_by))
        .bind(matched(replay.matched))
        .bind(kept::count(replay.replayed))
        .bind(replay.state.as_str())
        .bind(replay.ended_at.map(instant))
        .bind(begins_behind(&replay.filter))
        .execute(pool)
        .await?;
    Ok(())
}

/// See [`crate::store::Store::replays`].
pub(super) async fn list(readers: &PgPool, page: PageRequest<ReplayId>) -> Result<Vec<Replay>, sqlx::Error> {
    let below = page.below.map_or(uuid::Uuid::max(), ReplayId::as_uuid);
    let rows = sqlx::query(sql::REPLAYS).bind(below).bind(i64::from(page.limit)).fetch_all(readers).await?;
    rows.iter().map(map::replay).collect()
}

/// See [`crate::store::Store::one_replay`].
pub(super) async fn one(pool: &PgPool, id: ReplayId) -> Result<Option<Replay>, sqlx::Error> {
    let row = sqlx::query(sql::ONE_REPLAY).bind(id.as_uuid()).fetch_optional(pool).await?;
    row.as_ref().map(map::replay).transpose()
}

/// See [`crate::store::Store::cancel_replay`].
pub(super) async fn cancel(
    pool: &PgPool,
    id: ReplayId,
    now: Timestamp,
) -> Result<Option<Replay>, sqlx::Error> {
    repeated(|| sqlx::query(sql::CANCEL_REPLAY).bind(id.as_uuid()).bind(instant(now)).execute(pool)).await?;
    one(pool, id).await
}

/// See [`crate::store::Store::lease_replays`].
pub(super) async fn lease(pool: &PgPool, lease: &ReplayLease) -> Result<Vec<Replay>, sqlx::Error> {
    let rows = repeated(|| {
        sqlx::query(sql::LEASE_REPLAYS)
            .bind(lease.token.0)
            .bind(instant(lease.now))
            .bind(instant(lease.until))
            .fetch_all(pool)
    })
    .await?;
    rows.iter().map(map::replay).collect()
}

/// See [`crate::store::Store::reopen`].
pub(super) async fn reopen(pool: &PgPool, portion: &Portion) -> Result<Option<Reopened>, sqlx::Error> {
    // What is asked of a replay never changes.
    let Some(replay) = one(pool, portion.replay).await? else { return Ok(None) };
    let statement = match replay.filter.state {
        Some(DeliveryState::Dead) => sql::REOPEN_DEAD,
        Some(DeliveryState::Pending | DeliveryState::Done) | None => sql::REOPEN_CLOSED,
    };
    let row = repeated(|| {
        map::narrowed(sqlx::query(statement), &replay.filter)
            .bind(portion.replay.as_uuid())
            .bind(portion.token.0)
            .bind(i64::from(Portion::LOOKED_AT))
            .bind(i64::from(portion.at_most))
            .bind(instant(portion.now))
            .fetch_optional(pool)
    })
    .await?;
    row.as_ref().map(map::reopened).transpose()
}
