//! Opening the file, and bringing its schema up to date.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::{SqliteStore, lock, sql};
use crate::store::StoreError;
use crate::store::work_signal::WorkSignal;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long anyone waits for a connection, or for another process that writes. The sender of a webhook is answered
/// within seconds, come what may.
const PATIENCE: Duration = Duration::from_secs(2);

const READERS: u32 = 4;

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
            .synchronous(SqliteSynchronous::Full);
        migrate(path, options.clone()).await?;
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(PATIENCE)
            // Nothing lies between us and the file that could be lost while a connection rests.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        Ok(Self {
            writer: pool.clone().max_connections(1).connect_lazy_with(options.clone()),
            readers: pool.max_connections(READERS).connect_lazy_with(options.read_only(true)),
            work: WorkSignal::default(),
        })
    }
}

/// On a connection of its own. A lock of our own keeps other processes away: the file's does not cover the change to
/// the write-ahead log, which is the first thing that happens to a new one.
async fn migrate(path: &Path, options: SqliteConnectOptions) -> Result<(), StoreError> {
    let _alone = lock::migration_lock(path).await?;
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let mut connection = options.connect().await?;
    let migrated = MIGRATIONS.run(&mut connection).await;
    connection.close().await?;
    migrated.map_err(StoreError::from)
}

/// Whether the file answers and takes writes.
pub(super) async fn check(writer: &SqlitePool) -> Result<(), StoreError> {
    let transaction = writer.begin_with(sql::BEGIN).await?;
    Ok(transaction.rollback().await?)
}
