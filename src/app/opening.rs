//! Opening the store: at once where it is there, and later where it is away.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use crate::config;
use crate::config::{Config, DatabaseUrl};
use crate::model::Backlog;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::{ServerLock, SqliteStore};
use crate::store::{Database, Store, StoreError};
use crate::telemetry::Chain;

/// How long the start waits for a PostgreSQL to be ready, and others to be through with their migrations. Podium is kept
/// waiting meanwhile.
const FIRST_TRY: Duration = Duration::from_secs(5);

/// How long a later try may take: each that was not enough doubles it. `lectern migrate` takes as long as it takes.
const LONGEST_TRY: Duration = Duration::from_secs(600);

/// How soon a database that was away at the start is asked again.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// How long it may take to look up what is left of handlers that are gone.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// Opens the configured store and brings its schema up to date.
///
/// # Errors
/// When it can't be reached or is not ours.
pub async fn open_store(database: &config::Database) -> Result<Arc<dyn Database>, StartError> {
    let store: Result<Arc<dyn Database>, _> = match &database.url {
        DatabaseUrl::Sqlite(path) => SqliteStore::open(path).await.map(|store| Arc::new(store) as _),
        DatabaseUrl::Postgres(url) => PostgresStore::connect(url.expose_secret(), database.max_connections)
            .await
            .map(|store| Arc::new(store) as _),
    };
    store.map_err(|source| cannot_open(database, source))
}

/// The same, for the one process that may serve an SQLite file, and for a PostgreSQL that may be away: then it is opened
/// as soon as it is there, and events go to the spool until then.
pub(super) async fn open_to_serve(
    config: &Config,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Arc<dyn Database>, Option<ServerLock>), StartError> {
    let database = &config.database;
    let handlers = config.handlers.iter().map(|handler| handler.subscription.handler.clone()).collect();
    let opening = async {
        match &database.url {
            DatabaseUrl::Sqlite(path) => {
                let lock = ServerLock::acquire(path)?;
                let store = Arc::new(SqliteStore::open(path).await?);
                store.end_leases(&lock).await?;
                let looking = tell_of_abandoned_work(handlers, Arc::clone(&store) as _);
                tasks.spawn(stop.clone().run_until_cancelled_owned(looking));
                Ok((store as Arc<dyn Database>, Some(lock)))
            }
            DatabaseUrl::Postgres(url) => {
                let store = PostgresStore::at(url.expose_secret(), database.max_connections)?;
                let store = Arc::new(store);
                let is_away = match store.prepare(Some(FIRST_TRY)).await {
                    Err(error @ StoreError::Unavailable(_)) => {
                        tracing::error!(
                            database = %database.url,
                            error = %Chain(&error),
                            "the database is away: events go to the spool until it is there"
                        );
                        true
                    }
                    prepared => prepared.map(|()| false)?,
                };
                let beside = Arc::clone(&store);
                tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
                    if is_away {
                        open_later(&beside).await;
                    }
                    tokio::join!(
                        tell_of_abandoned_work(handlers, Arc::clone(&beside) as _),
                        beside.exchange_news()
                    );
                }));
                Ok((store as _, None))
            }
        }
    };
    opening.await.map_err(|source| cannot_open(database, source))
}

/// Opens a database that was away, as soon as it is there.
async fn open_later(store: &PostgresStore) {
    let (mut told, mut within) = (String::new(), FIRST_TRY);
    loop {
        let start = tokio::time::Instant::now();
        let Err(error) = store.prepare(Some(within)).await else { break };
        if start.elapsed() >= within {
            // It is there, and at work: perhaps a migration takes that long.
            within = (within * 2).min(LONGEST_TRY);
        }
        let reason = Chain(&error).to_string();
        // Something else than before is worth telling: it may be what a person has to mend.
        if reason != told {
            tracing::warn!(reason, "the database can't be used yet");
            told = reason;
        }
        sleep(OPEN_AGAIN).await;
    }
    tracing::info!("the database is there");
}

/// A handler that was renamed or removed leaves its open deliveries behind, and nobody else would notice.
async fn tell_of_abandoned_work(handlers: Vec<String>, store: Arc<dyn Store>) {
    // Whether the store answers shows elsewhere soon enough.
    let Ok(Ok(backlog)) = timeout(LOOK_WITHIN, store.backlog()).await else { return };
    for Backlog { handler, open, .. } in backlog {
        if open > 0 && !handlers.contains(&handler) {
            tracing::warn!(handler, open, "deliveries wait for a handler that is not configured");
        }
    }
}

fn cannot_open(database: &config::Database, source: StoreError) -> StartError {
    StartError::Store { database: database.url.to_string(), source }
}
