//! Opening the file, and bringing its schema up to date.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::{ServerLock, SqliteStore, lock, sql};
use crate::store::work_signal::WorkSignal;
use crate::store::{StoreError, schema};

/// Those that it does not know are looked at afterwards.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/sqlite");
    migrations.set_ignore_missing(true);
    migrations
});

/// How long anyone waits for a connection, or for another process that writes. The sender of a webhook is answered
/// within seconds, come what may.
const PATIENCE: Duration = Duration::from_secs(2);

const READERS: u32 = 4;

/// Claims read for milliseconds, and several handlers may claim at once.
const CLAIM_READERS: u32 = 2;

impl SqliteStore {
    /// Opens a database file, makes it if there is none, and brings its schema up to date. Processes that open it
    /// together wait for the one that came first. Whoever serves webhooks takes a [`super::ServerLock`] before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file can't be opened, [`StoreError::Failed`] when it is no database or its
    /// schema is not one that this version knows.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // An answer means that the disk has it: the write-ahead log is flushed at every commit.
            .synchronous(SqliteSynchronous::Full)
            // To write over what is forgotten takes ten times as long, while acceptances wait.
            .pragma("secure_delete", "OFF");
        lock::open_for_owner(path)?;
        migrate(path, options.clone()).await?;
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(PATIENCE)
            // Nothing lies between us and the file that could be lost while a connection rests.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        Ok(Self {
            // Opened at once, so that `check` finds it.
            writer: pool
                .clone()
                .max_connections(1)
                // On a full disk SQLite ends a transaction by itself, and the connection goes on as if it were in one:
                // such a connection never writes again, and another takes its place.
                .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
                // A statement that writes many rows notes down how to undo itself. From 64 KiB on that would be a file,
                // which took as long as the rows.
                .connect_with(options.clone().pragma("temp_store", "MEMORY"))
                .await?,
            readers: pool.clone().max_connections(READERS).connect_lazy_with(options.clone().read_only(true)),
            claim_readers: pool.max_connections(CLAIM_READERS).connect_lazy_with(options.read_only(true)),
            work: WorkSignal::default(),
        })
    }
}

impl SqliteStore {
    /// Ends every lease: whoever serves a file is the only one, so those that it finds belong to one that is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file takes no writes.
    pub async fn end_leases(&self, _alone: &ServerLock) -> Result<(), StoreError> {
        sqlx::query(sql::END_LEASES).execute(&self.writer).await?;
        sqlx::query(sql::END_REPLAY_LEASES).execute(&self.writer).await?;
        sqlx::query(sql::mirror::END_MIRROR_LEASE).execute(&self.writer).await?;
        Ok(())
    }
}

/// On a connection of its own. A lock of our own keeps other processes away: the file's does not cover the change to
/// the write-ahead log, which is the first thing that happens to a new one.
async fn migrate(path: &Path, options: SqliteConnectOptions) -> Result<(), StoreError> {
    let _alone = lock::migration_lock(path).await?;
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.connect().await?;
    let migrated = async {
        MIGRATIONS.run(&mut connection).await?;
        let applied: Vec<_> = sqlx::query_as(sql::APPLIED_MIGRATIONS).fetch_all(&mut connection).await?;
        schema::check(&MIGRATIONS, &applied)
    };
    let migrated = migrated.await;
    connection.close().await?;
    migrated
}

/// Whether the database has only migrations that this program has.
pub(super) async fn is_known(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let applied: Vec<(i64, String)> = sqlx::query_as(sql::APPLIED_MIGRATIONS).fetch_all(pool).await?;
    Ok(applied.iter().all(|(version, _)| MIGRATIONS.version_exists(*version)))
}

/// Whether the file answers and takes writes. Anybody may ask this, as often as they like: it never queues for the
/// writer. One that is busy was let in to write, which is the answer; for an idle one, taking the right to write and
/// giving it back changes nothing on the disk.
pub(super) async fn check(writer: &SqlitePool, readers: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query(sql::ANYTHING).execute(readers).await?;
    if let Some(mut idle) = writer.try_acquire() {
        idle.begin_with(sql::BEGIN).await?.rollback().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_end_all_writing() {
        let (_folder, store) = store().await;
        let mut transaction = store.writer.begin_with(sql::BEGIN).await.unwrap();
        // What SQLite does by itself on a full disk.
        sqlx::raw_sql("ROLLBACK").execute(&mut *transaction).await.unwrap();
        drop(transaction);
        for _ in 0..2 {
            store.writer.begin_with(sql::BEGIN).await.unwrap().rollback().await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_serves_the_file_next_ends_the_leases_of_the_one_before() {
        let (folder, store) = store().await;
        sqlx::raw_sql(
            "INSERT INTO queues (handler, ordering_key, pending, due_at, lease, leased_until)
                VALUES ('crm', 'a', 1, 5000000, x'01', 900000000), ('crm', 'b', 1, 70000000, NULL, NULL);
            INSERT INTO replays (id, filter, rate, created_at, created_by, matched, reached, state, lease, leased_until)
                VALUES (zeroblob(16), '{}', 1, 0, 'a', 0, zeroblob(16), 'running', x'01', 900000000)",
        )
        .execute(&store.writer)
        .await
        .unwrap();
        let lock = ServerLock::acquire(&folder.path().join("test.db")).unwrap();
        store.end_leases(&lock).await.unwrap();
        let queues: Vec<(String, Option<Vec<u8>>, i64)> =
            sqlx::query_as("SELECT ordering_key, lease, due_at FROM queues ORDER BY ordering_key")
                .fetch_all(&store.readers)
                .await
                .unwrap();
        assert_eq!(queues, [("a".to_owned(), None, 5_000_000), ("b".to_owned(), None, 70_000_000)]);
        let replays: i64 = sqlx::query_scalar("SELECT count(*) FROM replays WHERE lease IS NULL")
            .fetch_one(&store.readers)
            .await
            .unwrap();
        assert_eq!(replays, 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let (folder, _store) = store().await;
        let mut files = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            files += 1;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.file_name());
        }
        assert!(files > 1);
    }
}
