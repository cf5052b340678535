//! Replays of many deliveries.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{ConnectOptions as _, Connection as _, Row, SqliteExecutor, SqlitePool};
use tokio::time::Instant;
use uuid::Uuid;

use super::map::{self, instant};
use super::{sql, work};
use crate::model::{DeliveryFilter, DeliveryState, PageRequest, Replay, ReplayId};
use crate::store::replay::{begins_behind, matched};
use crate::store::{Portion, Reopened, ReplayLease, kept};

/// How long counting may take: as long as PostgreSQL lets a reader's statement.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);

/// After so many instructions of a statement SQLite asks whether to go on: a few times a millisecond.
const STEPS: i32 = 10_000;

/// `SQLITE_INTERRUPT`
const INTERRUPTED: &str = "9";

/// See [`crate::store::Store::count_closed`].
pub(super) async fn count_closed(
    readers: &SqlitePool,
    filter: &DeliveryFilter,
    by: Timestamp,
) -> Result<Option<u64>, sqlx::Error> {
    count_within(COUNTED_WITHIN, readers, filter, by).await
}

async fn count_within(
    within: Duration,
    readers: &SqlitePool,
    filter: &DeliveryFilter,
    by: Timestamp,
) -> Result<Option<u64>, sqlx::Error> {
    let statement =
        if filter.state == Some(DeliveryState::Dead) { sql::COUNT_DEAD } else { sql::COUNT_CLOSED };
    // On a connection of its own, which nobody waits for and on which SQLite itself gives up in time: a statement goes on, whoever
    // has stopped waiting for it.
    if readers.is_closed() {
        return Err(sqlx::Error::PoolClosed);
    }
    let mut connection = readers.connect_options().as_ref().clone().connect().await?;
    let end = Instant::now() + within;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    let counted =
        map::narrowed(sqlx::query(statement), filter).bind(instant(by)).fetch_one(&mut connection).await;
    connection.close().await?;
    match counted {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INTERRUPTED) => Ok(None),
        counted => Ok(Some(counted?.try_get::<i64, _>(0)?.unsigned_abs())),
    }
}

/// See [`crate::store::Store::add_replay`].
pub(super) async fn add(writer: &SqlitePool, replay: &Replay) -> Result<(), sqlx::Error> {
    sqlx::query(sql::ADD_REPLAY)
        .bind(replay.id.as_uuid())
        .bind(kept::filter(&replay.filter))
        .bind(replay.rate)
        .bind(instant(replay.created_at))
        .bind(kept::text(&replay.created_by))
        .bind(matched(replay.matched))
        .bind(kept::count(replay.replayed))
        .bind(replay.state.as_str())
        .bind(replay.ended_at.map(instant))
        .bind(begins_behind(&replay.filter))
        .execute(writer)
        .await?;
    Ok(())
}

/// See [`crate::store::Store::replays`].
pub(super) async fn list(
    readers: &SqlitePool,
    page: PageRequest<ReplayId>,
) -> Result<Vec<Replay>, sqlx::Error> {
    let below = page.below.map_or(Uuid::max(), ReplayId::as_uuid);
    let rows = sqlx::query(sql::REPLAYS).bind(below).bind(page.limit).fetch_all(readers).await?;
    rows.iter().map(map::replay).collect()
}

/// See [`crate::store::Store::one_replay`].
pub(super) async fn one(
    executor: impl SqliteExecutor<'_>,
    id: ReplayId,
) -> Result<Option<Replay>, sqlx::Error> {
    let row = sqlx::query(sql::ONE_REPLAY).bind(id.as_uuid()).fetch_optional(executor).await?;
    row.as_ref().map(map::replay).transpose()
}

/// See [`crate::store::Store::cancel_replay`].
pub(super) async fn cancel(
    writer: &SqlitePool,
    id: ReplayId,
    now: Timestamp,
) -> Result<Option<Replay>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    sqlx::query(sql::CANCEL_REPLAY).bind(id.as_uuid()).bind(instant(now)).execute(&mut *transaction).await?;
    let replay = one(&mut *transaction, id).await?;
    transaction.commit().await?;
    Ok(replay)
}

/// See [`crate::store::Store::lease_replays`].
pub(super) async fn lease(
    writer: &SqlitePool,
    readers: &SqlitePool,
    lease: &ReplayLease,
) -> Result<Vec<Replay>, sqlx::Error> {
    // Looking costs nobody anything; leasing keeps every acceptance waiting for a moment.
    if !sqlx::query_scalar::<_, bool>(sql::IS_REPLAYING).fetch_one(readers).await? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(sql::LEASE_REPLAYS)
        .bind(lease.token.0)
        .bind(instant(lease.now))
        .bind(instant(lease.until))
        .fetch_all(writer)
        .await?;
    let mut replays: Vec<Replay> = rows.iter().map(map::replay).collect::<Result<_, _>>()?;
    replays.sort_by_key(|replay| replay.id);
    Ok(replays)
}

/// See [`crate::store::Store::reopen`].
pub(super) async fn reopen(writer: &SqlitePool, portion: &Portion) -> Result<Option<Reopened>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let leased = sqlx::query(sql::LEASED_REPLAY)
        .bind(portion.replay.as_uuid())
        .bind(portion.token.0)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = leased else { return Ok(None) };
    let (replay, mut reached) = (map::replay(&row)?, row.try_get::<Uuid, _>("reached")?);
    let statement = if replay.filter.state == Some(DeliveryState::Dead) { sql::NEXT_DEAD } else { sql::NEXT };
    let seen = map::narrowed(sqlx::query(statement), &replay.filter)
        .bind(instant(replay.created_at))
        .bind(reached)
        .bind(Portion::LOOKED_AT)
        .fetch_all(&mut *transaction)
        .await?;
    let mut number = 0;
    for row in &seen {
        if number == u64::from(portion.at_most) {
            break;
        }
        reached = row.try_get("id")?;
        if row.try_get("is_wanted")? {
            work::open_again(&mut transaction, reached.into(), portion.now).await?;
            number += 1;
        }
    }
    sqlx::query(sql::MOVE_REPLAY)
        .bind(portion.replay.as_uuid())
        .bind(reached)
        .bind(kept::count(number))
        .execute(&mut *transaction)
        .await?;
    let is_through = number < portion.at_most.into() && seen.len() < Portion::LOOKED_AT as usize;
    if is_through {
        sqlx::query(sql::END_REPLAY)
            .bind(portion.replay.as_uuid())
            .bind(instant(portion.now))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Some(Reopened { number, is_through }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn what_takes_too_long_to_count_is_not_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
        for many in [
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
             INSERT INTO events (id, dedup_key, source, event_type, received_at)
             SELECT randomblob(16), randomblob(16), 'default', 'call.missed', n FROM numbers",
            "INSERT INTO deliveries (id, event_id, handler, ordering_key, state, opened_at, settled_at)
             SELECT randomblob(16), id, 'crm', 'a', 'done', 1, 1 FROM events",
        ] {
            sqlx::query(many).execute(&store.writer).await.unwrap();
        }
        let (all, by) = (DeliveryFilter::default(), Timestamp::from_second(1).unwrap());
        let counted = async |within| count_within(within, &store.readers, &all, by).await.unwrap();
        assert_eq!(counted(COUNTED_WITHIN).await, Some(20_000));
        assert_eq!(counted(Duration::ZERO).await, None);
        assert_eq!(counted(COUNTED_WITHIN).await, Some(20_000), "the next one has time of its own");
    }
}
