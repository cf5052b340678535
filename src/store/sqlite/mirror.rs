//! Writing the mirror, and making it anew.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::batch::json_ids;
use super::map::{self, instant};
use super::read;
use super::sql::{BEGIN, mirror as sql};
use crate::model::{EventId, EventRecord, MirrorStatus, PageRequest, ResourceState, SkippedEvent};
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
    let rows = sqlx::query(sql::UNMIRRORED).bind(at_most).fetch_all(readers).await?;
    with_contents(readers, rows).await
}

/// The events, as many as are read together, with what arrived.
async fn with_contents(
    readers: &SqlitePool,
    mut rows: Vec<SqliteRow>,
) -> Result<Vec<Unmirrored>, sqlx::Error> {
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
    for statement in [sql::FEED, sql::LEAVE_INBOX] {
        sqlx::query(statement).bind(&events).execute(&mut *transaction).await?;
    }
    let fitting = json_ids(mirrored.fitting.iter().map(|event| event.as_uuid()))?;
    sqlx::query(sql::UNSKIP).bind(fitting).execute(&mut *transaction).await?;
    sqlx::query(sql::SKIP).bind(kept::skipped(&mirrored.skipped)).execute(&mut *transaction).await?;
    if let (Some(after), Some(last)) = (mirrored.rebuilt_after, mirrored.events.last()) {
        sqlx::query(sql::MOVE_REBUILD)
            .bind(after.as_uuid())
            .bind(last.as_uuid())
            .bind(i64::try_from(mirrored.events.len()).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(true)
}

async fn write_states(connection: &mut SqliteConnection, mirrored: &Mirrored) -> Result<(), sqlx::Error> {
    let states = &mirrored.states;
    let before = sqlx::query_scalar(sql::CONVERSATIONS_OF)
        .bind(Value::from(kept::messages(states)).to_string())
        .fetch_all(&mut *connection)
        .await?;
    let written =
        sqlx::query(sql::MIRROR_STATES).bind(kept::states(states)).fetch_all(&mut *connection).await?;
    write_words(connection, states, &written).await?;
    sqlx::query(sql::MIRROR_TOLD_BY).bind(kept::told_by(&mirrored.told_by)).execute(&mut *connection).await?;
    let conversations = Value::from(kept::conversations(states, before)).to_string();
    sqlx::query(sql::MIRROR_TALKS).bind(conversations).execute(connection).await?;
    Ok(())
}

/// The words of the states that were written.
async fn write_words(
    connection: &mut SqliteConnection,
    states: &[ResourceState],
    written: &[SqliteRow],
) -> Result<(), sqlx::Error> {
    let words: HashMap<(&str, &str), String> = states
        .iter()
        .map(|state| {
            let words = kept::lexemes(state.kind, &state.words).join(" ");
            ((state.kind.as_str(), state.uid.as_str()), words)
        })
        .collect();
    let (mut numbers, mut to_find) = (Vec::new(), Vec::new());
    for row in written {
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
    Ok(())
}

/// See [`crate::store::MirrorStore::begin_rebuild`].
pub(super) async fn begin_rebuild(
    writer: &SqlitePool,
    readers: &SqlitePool,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // Beside acceptances, which would wait for it.
    let total: i64 = sqlx::query_scalar(sql::COUNT_ALL_EVENTS).fetch_one(readers).await?;
    sqlx::query(sql::BEGIN_REBUILD).bind(instant(now)).bind(total).execute(writer).await?;
    Ok(())
}

/// See [`crate::store::MirrorStore::to_rebuild`].
pub(super) async fn to_rebuild(
    readers: &SqlitePool,
    at_most: u32,
) -> Result<Option<Rebuilding>, sqlx::Error> {
    let Some(work) = sqlx::query(sql::REBUILDING).fetch_optional(readers).await? else { return Ok(None) };
    let after: Uuid = work.try_get("rebuild_reached")?;
    let rows = sqlx::query(sql::NEXT_OF_REBUILD)
        .bind(after)
        .bind(work.try_get::<Option<Uuid>, _>("rebuild_until")?)
        .bind(at_most)
        .fetch_all(readers)
        .await?;
    Ok(Some(Rebuilding { after: after.into(), events: with_contents(readers, rows).await? }))
}

/// See [`crate::store::MirrorStore::end_rebuild`].
pub(super) async fn end_rebuild(
    writer: &SqlitePool,
    token: LeaseToken,
    after: EventId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query(sql::END_REBUILD)
        .bind(token.0)
        .bind(after.as_uuid())
        .bind(instant(now))
        .execute(writer)
        .await?;
    Ok(ended.rows_affected() > 0)
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
