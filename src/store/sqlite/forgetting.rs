//! Forgetting, by age and by name.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Row as _, SqliteConnection, SqlitePool};
use tokio::time::sleep;
use uuid::Uuid;

use super::batch::json_ids;
use super::sql::forgetting as sql;
use super::sql::{BEGIN, FORGET_QUARANTINED, mirror};
use crate::model::{EventId, Forgettable, ResourceKind};
use crate::store::forgetting::LOOK;
use crate::store::{Forgotten, Reached, kept};

/// What goes with an event, and last the event.
const OF_EVENTS: [&str; 5] =
    [sql::FORGET_UNMIRRORED, sql::FORGET_SKIPPED, sql::FORGET_TOLD_BY, sql::FORGET_FED, sql::FORGET_EVENTS];

/// See [`crate::store::ForgettingStore::forget_before`].
pub(super) async fn forget_before(
    (readers, writer): (&SqlitePool, &SqlitePool),
    what: Forgettable,
    from: Reached,
    before: Timestamp,
    at_most: u32,
) -> Result<Forgotten, sqlx::Error> {
    let (window, old, statements): (_, _, &[&str]) = match what {
        Forgettable::Deliveries => {
            (sql::WINDOW_OF_DELIVERIES, sql::OLD_DELIVERIES, &[sql::FORGET_ATTEMPTS, sql::FORGET_DELIVERIES])
        }
        Forgettable::Bodies => (sql::WINDOW_OF_BODIES, sql::OLD_BODIES, &[sql::FORGET_BODIES]),
        Forgettable::Events => (sql::WINDOW_OF_EVENTS, sql::OLD_EVENTS, &OF_EVENTS),
        Forgettable::Quarantined => (sql::WINDOW_OF_QUARANTINE, sql::OLD_QUARANTINED, &[FORGET_QUARANTINED]),
    };
    let all = kept::first_id_from(before);
    let end: Option<Uuid> =
        sqlx::query_scalar(window).bind(from.id).bind(all).bind(LOOK).fetch_optional(readers).await?;
    // More of one event than a step looks at are looked at all the same.
    let end = end.filter(|end| *end > from.id);
    let candidates =
        || sqlx::query_as::<_, (Uuid, Uuid)>(old).bind(from.id).bind(end.unwrap_or(all)).bind(at_most);
    // Nobody waits for the writer where nothing goes.
    if candidates().fetch_optional(readers).await?.is_none() {
        return Ok(Forgotten::in_window(&[], at_most, end));
    }
    let mut transaction = writer.begin_with(BEGIN).await?;
    let rows = candidates().fetch_all(&mut *transaction).await?;
    let (ids, gone): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    if !ids.is_empty() {
        each_of(&mut transaction, &ids, statements).await?;
        transaction.commit().await?;
    }
    Ok(Forgotten::in_window(&gone, at_most, end))
}

async fn each_of(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    statements: &[&'static str],
) -> Result<(), sqlx::Error> {
    let ids = json_ids(ids.iter().copied())?;
    for statement in statements {
        sqlx::query(*statement).bind(&ids).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgetting by name is meant: of what is gone nothing is left in the file either. (By age it would cost more writing than it is
/// worth.) There is one connection that writes.
async fn overwriting(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query(sql::OVERWRITE).execute(writer).await?;
    Ok(())
}

/// See [`crate::store::ForgettingStore::count_before`].
pub(super) async fn count_before(
    readers: &SqlitePool,
    what: Forgettable,
    before: Timestamp,
) -> Result<u64, sqlx::Error> {
    let statement = match what {
        Forgettable::Deliveries => sql::COUNT_OLD_DELIVERIES,
        Forgettable::Bodies => sql::COUNT_OLD_BODIES,
        Forgettable::Events => sql::COUNT_OLD_EVENTS,
        Forgettable::Quarantined => sql::COUNT_OLD_QUARANTINED,
    };
    let count: i64 =
        sqlx::query_scalar(statement).bind(kept::first_id_from(before)).fetch_one(readers).await?;
    Ok(count.unsigned_abs())
}

/// See [`crate::store::ForgettingStore::forget_contents`].
pub(super) async fn forget_contents(
    writer: &SqlitePool,
    ids: &[EventId],
) -> Result<Vec<EventId>, sqlx::Error> {
    overwriting(writer).await?;
    let all = json_ids(ids.iter().map(|id| id.as_uuid()))?;
    let mut transaction = writer.begin_with(BEGIN).await?;
    let stay: Vec<Uuid> =
        sqlx::query_scalar(sql::EVENTS_THAT_STAY).bind(&all).fetch_all(&mut *transaction).await?;
    let go: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).filter(|id| !stay.contains(id)).collect();
    let deliveries: Vec<Uuid> = sqlx::query(sql::DELIVERIES_OF)
        .bind(json_ids(go.iter().copied())?)
        .fetch_all(&mut *transaction)
        .await?
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<Result<_, _>>()?;
    each_of(&mut transaction, &deliveries, &[sql::FORGET_ATTEMPTS, sql::FORGET_DELIVERIES]).await?;
    each_of(&mut transaction, &go, &[sql::FORGET_BODIES, sql::FORGET_SKIPPED, sql::FORGET_WHAT_WAS_READ])
        .await?;
    transaction.commit().await?;
    Ok(stay.into_iter().map(EventId::from).collect())
}

/// See [`crate::store::ForgettingStore::forget_resources`].
pub(super) async fn forget_resources(
    writer: &SqlitePool,
    resources: &[(ResourceKind, String)],
) -> Result<u64, sqlx::Error> {
    overwriting(writer).await?;
    let named = kept::named(resources);
    let mut transaction = writer.begin_with(BEGIN).await?;
    let talks: Vec<String> = sqlx::query_scalar(mirror::CONVERSATIONS_OF)
        .bind(Value::from(kept::forgotten_messages(resources)).to_string())
        .fetch_all(&mut *transaction)
        .await?;
    for statement in [mirror::FORGET_WORDS_OF, mirror::FORGET_EVENTS_OF] {
        sqlx::query(statement).bind(&named).execute(&mut *transaction).await?;
    }
    let forgotten = sqlx::query(mirror::FORGET_RESOURCES).bind(&named).execute(&mut *transaction).await?;
    sqlx::query(mirror::MIRROR_TALKS).bind(Value::from(talks).to_string()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(forgotten.rows_affected())
}

/// See [`crate::store::ForgettingStore::leave_nothing`].
pub(super) async fn leave_nothing(writer: &SqlitePool) -> Result<bool, sqlx::Error> {
    overwriting(writer).await?;
    let mut pages = -PAGES;
    while merge_words(writer, pages).await? {
        pages = PAGES;
    }
    empty_log(writer).await
}

/// How many pages of the index of words are written anew at a time: acceptances wait meanwhile, here and in the server that has the file.
const PAGES: i64 = 250;

/// Writes a part of the index of words anew. Returns whether there is more to be done.
async fn merge_words(writer: &SqlitePool, pages: i64) -> Result<bool, sqlx::Error> {
    let mut connection = writer.acquire().await?;
    let before: i64 = sqlx::query_scalar(sql::CHANGES).fetch_one(&mut *connection).await?;
    sqlx::query(sql::MERGE_WORDS).bind(pages).execute(&mut *connection).await?;
    let after: i64 = sqlx::query_scalar(sql::CHANGES).fetch_one(&mut *connection).await?;
    Ok(after - before >= 2)
}

/// How often the log is to be emptied, and the pause in between, in which others write. Each time whoever reads is waited for, as long as
/// for anybody else.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// Returns whether nothing is left in the write-ahead log: whoever reads without an end keeps what was there at its beginning.
async fn empty_log(writer: &SqlitePool) -> Result<bool, sqlx::Error> {
    for tried in 0..TRIES {
        if tried > 0 {
            sleep(PAUSE).await;
        }
        let is_busy: bool = sqlx::query(sql::EMPTY_LOG).fetch_one(writer).await?.try_get(0)?;
        if !is_busy {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn who_reads_meanwhile_keeps_the_log_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let log = || std::fs::metadata(folder.path().join("test.db-wal")).unwrap().len();
        let store = SqliteStore::open(&file).await.unwrap();
        let options = SqliteConnectOptions::new().filename(&file).read_only(true);
        let mut reader = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT count(*) FROM events").execute(&mut reader).await.unwrap();
        sqlx::raw_sql("UPDATE mirror_work SET lease = x'01', leased_until = 1")
            .execute(&store.writer)
            .await
            .unwrap();
        assert!(!leave_nothing(&store.writer).await.unwrap());
        assert!(log() > 0);
        sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.unwrap();
        assert!(leave_nothing(&store.writer).await.unwrap());
        assert_eq!(log(), 0);
    }

    /// So many that the index is not written anew in one step.
    #[tokio::test]
    async fn nothing_is_left_of_words_that_were_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let store = SqliteStore::open(&file).await.unwrap();
        let is_there = || {
            let files =
                ["test.db", "test.db-wal"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
            files.concat().windows(9).any(|bytes| bytes == b"xylophone")
        };
        overwriting(&store.writer).await.unwrap();
        sqlx::raw_sql(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
            INSERT INTO resource_words (rowid, words)
            SELECT n, iif(n = 10000, 'mxylophone ', '') || 'm' || hex(randomblob(20)) || ' m' || hex(randomblob(20)) FROM numbers",
        )
        .execute(&store.writer)
        .await
        .unwrap();
        sqlx::raw_sql("DELETE FROM resource_words WHERE rowid = 10000").execute(&store.writer).await.unwrap();
        assert!(is_there(), "a word is only marked as deleted");
        let first = merge_words(&store.writer, -PAGES).await.unwrap();
        assert!(first && merge_words(&store.writer, PAGES).await.unwrap(), "it takes several steps");
        assert!(leave_nothing(&store.writer).await.unwrap());
        assert!(!is_there());
    }
}
