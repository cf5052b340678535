//! Reaching the database, and bringing its schema up to date.

use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryFutureExt as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::timeout;

use super::{PostgresStore, sql};
use crate::store::work_signal::WorkSignal;
use crate::store::{StoreError, schema};

/// Those that it does not know are looked at afterwards.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/postgres");
    migrations.set_ignore_missing(true);
    migrations
});

/// How long anyone waits for a connection. The sender of a webhook is answered within seconds, come what may.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection that rested for longer is asked whether it still lives before it is used. One that was used a moment
/// ago is trusted: a server that went away in between makes one call fail, which its caller repeats.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long a connection is waited for that was given up in the middle of a statement. Then it is closed: neither a server
/// that has gone mute nor a lock may use up the pool.
const LET_GO_WITHIN: Duration = Duration::from_secs(2);

/// One connection in so many is for the API's reading, which may be slow: it keeps no webhook and no worker waiting, and where
/// what is asked for lies on the disk, as many questions wait for it at once as there are connections.
const READING_SHARE: u32 = 2;

impl PostgresStore {
    /// Connects to a database and brings its schema up to date. Processes that start together wait for the one that
    /// came first. Opens no more than `max_connections`, of which there must be two at least: half of them are for reading.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the server can't be reached or lets nobody in, [`StoreError::Failed`] when the
    /// address can't be read, the database can't keep every text, or its schema is not one that this version knows.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let store = Self::at(url, max_connections)?;
        store.prepare(None).await?;
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
            not_now: super::NotNow::default(),
        })
    }

    /// Brings the schema up to date. It is given up after about `within`, the time in which it waits for another process to
    /// do so included. What was given up is undone: each step is a transaction.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect), and [`StoreError::Unavailable`] when it was given up.
    pub async fn prepare(&self, within: Option<Duration>) -> Result<(), StoreError> {
        migrate(&self.options, within).await?;
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
        // A dropped future leaves its statement running, and the pool would wait for its end without end.
        .after_release(|connection, _| {
            Box::pin(async move {
                // What `ping` does, but that it costs nothing where nothing is left of a statement.
                match timeout(LET_GO_WITHIN, connection.flush()).await {
                    Ok(flushed) => flushed.map(|()| true),
                    Err(elapsed) => Err(std::io::Error::from(elapsed).into()),
                }
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
async fn migrate(options: &PgConnectOptions, within: Option<Duration>) -> Result<(), StoreError> {
    let mut connection = in_time(PATIENCE, PgConnection::connect_with(options).map_err(unavailable)).await?;
    let migrated = match in_time(PATIENCE, look_around(&mut connection, within)).await {
        // What `run` calls; by itself, `run` makes a future that no task can be made of.
        Ok(()) => {
            let running = async {
                MIGRATIONS.run_direct(None, &mut connection, false).await?;
                let applied: Vec<_> =
                    sqlx::query_as(sql::APPLIED_MIGRATIONS).fetch_all(&mut connection).await?;
                schema::check(&MIGRATIONS, &applied)
            };
            // The server gives up first, if it can: then nothing goes on there that nobody waits for.
            in_time(within.map_or(Duration::MAX, |within| within + PATIENCE), running).await
        }
        Err(refusal) => Err(refusal),
    };
    // What could not be closed is closed by the server when it notices.
    let _ = timeout(PATIENCE, connection.close()).await;
    migrated
}

fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// A server may take a connection and say nothing more.
async fn in_time<T>(
    within: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(within, work).await.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
}

async fn look_around(connection: &mut PgConnection, within: Option<Duration>) -> Result<(), StoreError> {
    check_encoding(connection).await?;
    // Without a limit it is 0, whatever the server has for others.
    let limit = within.map_or(0, |within| within.as_millis());
    sqlx::query(sql::PREPARE_MIGRATION).bind(limit.to_string()).execute(connection).await?;
    Ok(())
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

/// Whether the database has only migrations that this program has.
pub(super) async fn is_known(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let applied: Vec<(i64, String)> = sqlx::query_as(sql::APPLIED_MIGRATIONS).fetch_all(pool).await?;
    Ok(applied.iter().all(|(version, _)| MIGRATIONS.version_exists(*version)))
}

/// Whether the database answers and takes writes.
pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let is_read_only: bool = sqlx::query_scalar(sql::IS_READ_ONLY).fetch_one(pool).await?;
    if is_read_only {
        return Err(StoreError::Unavailable("the database takes no writes: it may be a standby".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::test_database::fresh_postgres_database;

    #[tokio::test]
    async fn no_statement_goes_on_for_ever_on_any_connection() {
        let store = PostgresStore::connect(&fresh_postgres_database().await, 2).await.unwrap();
        for (pool, expected) in [(&store.working, "15s"), (&store.reading, "5s")] {
            let limit: String = sqlx::query_scalar("SHOW statement_timeout").fetch_one(pool).await.unwrap();
            assert_eq!(limit, expected);
        }
    }
}
