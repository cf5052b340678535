//! Reaching the database, and bringing its schema up to date.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::timeout;

use super::{PostgresStore, sql};
use crate::store::StoreError;
use crate::store::work_signal::WorkSignal;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long anyone waits for a connection. The sender of a webhook is answered within seconds, come what may.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection that rested for longer is asked whether it still lives before it is used. One that was used a moment
/// ago is trusted: a server that went away in between makes one call fail, which its caller repeats.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// One connection in so many is for the API's reading, which may be slow: it keeps no webhook and no worker waiting.
const READING_SHARE: u32 = 4;

impl PostgresStore {
    /// Connects to a database and brings its schema up to date. Processes that start together wait for the one that
    /// came first. Opens no more than `max_connections`, of which there must be two at least: a quarter is for reading.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the server can't be reached or lets nobody in, [`StoreError::Failed`] when the
    /// address can't be read, the database can't keep every text, or its schema is not one that this version knows.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let store = Self::at(url, max_connections)?;
        store.prepare().await?;
        Ok(store)
    }

    /// The store of a database that may be away: it is unavailable until it has been [prepared](Self::prepare).
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the address can't be read.
    pub fn at(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(|error| StoreError::Failed(error.into()))?;
        let reading = (max_connections / READING_SHARE).max(1);
        let working = max_connections.saturating_sub(reading).max(1);
        Ok(Self {
            working: pool(working, &[sql::PREPARE_CONNECTION, sql::PREPARE_WORKER])
                .connect_lazy_with(options.clone()),
            reading: pool(reading, &[sql::PREPARE_CONNECTION, sql::PREPARE_READER])
                .connect_lazy_with(options.clone()),
            options,
            is_prepared: AtomicBool::new(false),
            work: WorkSignal::default(),
        })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect).
    pub async fn prepare(&self) -> Result<(), StoreError> {
        migrate(&self.options).await?;
        self.is_prepared.store(true, Ordering::Release);
        Ok(())
    }

    /// For what must go on whatever is read: acceptances, the work, and the rare rest.
    pub(super) fn pool(&self) -> Result<&PgPool, StoreError> {
        self.prepared(&self.working)
    }

    /// For what the API looks up and lists.
    pub(super) fn readers(&self) -> Result<&PgPool, StoreError> {
        self.prepared(&self.reading)
    }

    fn prepared<'a>(&self, pool: &'a PgPool) -> Result<&'a PgPool, StoreError> {
        if self.is_prepared.load(Ordering::Acquire) {
            Ok(pool)
        } else {
            Err(StoreError::Unavailable("the database has not answered since the start".into()))
        }
    }
}

fn pool(max_connections: u32, prepare: &'static [&'static str]) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in prepare {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        })
}

/// On a connection of its own: the pool would wait for a server that refuses, and then say no more than that it
/// waited. Ending the connection also gives up the lock that other processes wait for.
async fn migrate(options: &PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = timeout(PATIENCE, PgConnection::connect_with(options))
        .await
        .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
        .map_err(|error| StoreError::Unavailable(error.into()))?;
    let migrated = match check_encoding(&mut connection).await {
        // What `run` calls; by itself, `run` makes a future that no task can be made of.
        Ok(()) => MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(StoreError::from),
        Err(refusal) => Err(refusal),
    };
    // What could not be closed is closed by the server when it notices.
    let _ = connection.close().await;
    migrated
}

/// Any other encoding lacks characters: it would refuse an event that is signed as it should be, as often as it comes.
async fn check_encoding(connection: &mut PgConnection) -> Result<(), StoreError> {
    let encoding: String = sqlx::query_scalar(sql::ENCODING).fetch_one(connection).await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(StoreError::Failed(
        format!(
            "the database keeps texts as {encoding}, which lacks characters that Podium sends: make one with \
             CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 and use that"
        )
        .into(),
    ))
}

/// Whether the database answers and takes writes.
pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let is_read_only: bool = sqlx::query_scalar(sql::IS_READ_ONLY).fetch_one(pool).await?;
    if is_read_only {
        return Err(StoreError::Unavailable("the database takes no writes: it may be a standby".into()));
    }
    Ok(())
}
