//! Writing the mirror, and making it anew.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::batch::json_ids;
use super::map::{self, instant};
use super::read;
use super::sql::{BEGIN, mirror as sql};
use crate::model::{EventId, EventRecord, MirrorStatus, PageRequest, SkippedEvent};
use crate::store::{LeaseToken, MirrorLease, Mirrored, Rebuilding, Unmirrored, kept};

/// See [`crate::store::MirrorStore::lease_mirror`].
pub(super) async fn lease(writer: &SqlitePool, lease: &MirrorLease) -> Result<bool, sqlx::Error> {
    let leased = sqlx::query(sql::LEASE_MIRROR)
        .bind(lease.token.0)
        .bind(instant(lease.now))
        .bind(instant(lease.until))
        .execute(writer)
        .await?;
    Ok(leased.rows_affected() > 0)
}

/// See [`crate::store::MirrorStore::unmirrored`].
pub(super) async fn unmirrored(readers: &SqlitePool, at_most: u32) -> Result<Vec<Unmirrored>, sqlx::Error> {
    let mut rows = sqlx::query(sql::UNMIRRORED).bind(at_most).fetch_all(readers).await?;
    let sizes: Vec<Option<i64>> = rows.iter().map(|row| row.try_get("size")).collect::<Result<_, _>>()?;
    rows.truncate(kept::fitting(sizes.into_iter()));
    let events: Vec<EventRecord> = rows.iter().map(map::event).collect::<Result<_, _>>()?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let mut contents: HashMap<_, _> = read::contents(readers, &ids).await?.into_iter().collect();
    let with_content = |event: EventRecord| Unmirrored { content: contents.remove(&event.id), event };
    Ok(events.into_iter().map(with_content).collect())
}

/// See [`crate::store::MirrorStore::mirror`].
pub(super) async fn mirror(writer: &SqlitePool, mirrored: &Mirrored) -> Result<bool, sqlx::Error> {
    let mut transaction = writer.begin_with(BEGIN).await?;
    let held = sqlx::query(sql::HOLD_MIRROR).bind(mirrored.token.0).fetch_optional(&mut *transaction).await?;
    if held.is_none() {
        return Ok(false);
    }
    if !mirrored.states.is_empty() {
        write_states(&mut transaction, mirrored).await?;
    }
    let events = json_ids(mirrored.events.iter().map(|event| event.as_uuid()))?;
    for statement in [sql::FEED, sql::LEAVE_INBOX, sql::UNSKIP] {
        sqlx::query(statement).bind(&events).execute(&mut *transaction).await?;
    }
    sqlx::query(sql::SKIP).bind(kept::skipped(&mirrored.skipped)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn write_states(connection: &mut SqliteConnection, mirrored: &Mirrored) -> Result<(), sqlx::Error> {
    let written = sqlx::query(sql::MIRROR_STATES)
        .bind(kept::states(&mirrored.states))
        .fetch_all(&mut *connection)
        .await?;
    let words: HashMap<(&str, &str), String> = mirrored
        .states
        .iter()
        .map(|state| ((state.kind.as_str(), state.uid.as_str()), state.words.as_slice().join(" ")))
        .collect();
    let (mut numbers, mut to_find) = (Vec::new(), Vec::new());
    for row in &written {
        let number: i64 = row.try_get("number")?;
        numbers.push(Value::from(number));
        if let Some(words) = words.get(&(row.try_get("kind")?, row.try_get("uid")?))
            && !words.is_empty()
        {
            to_find.push(json!({"number": number, "words": words}));
        }
    }
    for (statement, list) in [(sql::FORGET_WORDS, numbers), (sql::ADD_WORDS, to_find)] {
        sqlx::query(statement).bind(Value::Array(list).to_string()).execute(&mut *connection).await?;
    }
    sqlx::query(sql::MIRROR_TOLD_BY).bind(kept::told_by(&mirrored.told_by)).execute(&mut *connection).await?;
    let conversations = Value::from(kept::conversations(&mirrored.states)).to_string();
    sqlx::query(sql::MIRROR_TALKS).bind(conversations).execute(connection).await?;
    Ok(())
}

/// See [`crate::store::MirrorStore::begin_rebuild`].
pub(super) async fn begin_rebuild(writer: &SqlitePool, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(sql::BEGIN_REBUILD).bind(instant(now)).execute(writer).await?;
    Ok(())
}

/// See [`crate::store::MirrorStore::rebuild`].
pub(super) async fn rebuild(
    writer: &SqlitePool,
    readers: &SqlitePool,
    token: LeaseToken,
    at_most: u32,
    now: Timestamp,
) -> Result<Rebuilding, sqlx::Error> {
    // Looking costs nobody anything; the right to write keeps every acceptance waiting for a moment.
    if sqlx::query(sql::REBUILDING).bind(token.0).fetch_optional(readers).await?.is_none() {
        return Ok(Rebuilding::Nothing);
    }
    let mut transaction = writer.begin_with(BEGIN).await?;
    let work = sqlx::query(sql::REBUILDING).bind(token.0).fetch_optional(&mut *transaction).await?;
    let Some(work) = work else { return Ok(Rebuilding::Nothing) };
    let next: Vec<Uuid> = sqlx::query_scalar(sql::NEXT_OF_REBUILD)
        .bind(work.try_get::<Uuid, _>("rebuild_reached")?)
        .bind(work.try_get::<Option<Uuid>, _>("rebuild_until")?)
        .bind(at_most)
        .fetch_all(&mut *transaction)
        .await?;
    let number = i64::try_from(next.len()).unwrap_or(i64::MAX);
    match next.last() {
        Some(last) => {
            let events = json_ids(next.iter().copied())?;
            sqlx::query(sql::MIRROR_AGAIN).bind(events).execute(&mut *transaction).await?;
            sqlx::query(sql::MOVE_REBUILD).bind(last).bind(number).execute(&mut *transaction).await?;
        }
        None => {
            sqlx::query(sql::END_REBUILD).bind(instant(now)).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(kept::rebuilding(Some(number)))
}

/// See [`crate::store::MirrorStore::mirror_status`].
pub(super) async fn status(readers: &SqlitePool) -> Result<MirrorStatus, sqlx::Error> {
    map::mirror_status(&sqlx::query(sql::MIRROR_STATUS).bind(MirrorStatus::COUNTED).fetch_one(readers).await?)
}

/// See [`crate::store::MirrorStore::skipped`].
pub(super) async fn skipped(
    readers: &SqlitePool,
    page: PageRequest<EventId>,
) -> Result<Vec<SkippedEvent>, sqlx::Error> {
    let below = page.below.map_or(Uuid::max(), EventId::as_uuid);
    let rows = sqlx::query(sql::SKIPPED).bind(below).bind(page.limit).fetch_all(readers).await?;
    rows.iter()
        .map(|row| {
            Ok(SkippedEvent {
                event_id: row.try_get::<Uuid, _>("event_id")?.into(),
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}
