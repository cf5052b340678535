//! Reaching the database, and bringing its schema up to date.

use std::str::FromStr;
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
        let options = PgConnectOptions::from_str(url).map_err(|error| StoreError::Failed(error.into()))?;
        migrate(&options).await?;
        let reading = (max_connections / READING_SHARE).max(1);
        let working = max_connections.saturating_sub(reading).max(1);
        Ok(Self {
            pool: pool(working, &[sql::PREPARE_CONNECTION]).connect_lazy_with(options.clone()),
            readers: pool(reading, &[sql::PREPARE_CONNECTION, sql::PREPARE_READER])
                .connect_lazy_with(options),
            work: WorkSignal::default(),
        })
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
        Ok(()) => MIGRATIONS.run(&mut connection).await.map_err(StoreError::from),
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
