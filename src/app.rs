//! The one place that knows everything: it builds the rooms from the configuration and hands them to each other.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Database, DatabaseUrl, HandlerConfig, SettingsError, SourceConfig};
use crate::dispatch;
use crate::handlers::Registry;
use crate::http;
use crate::ingest;
use crate::ingest::{Ingest, Quarantine, QuarantineWriter, Source, SourceKey};
use crate::model::{QuarantineFilter, Released, TokenDigest};
use crate::podium::SigningKey;
use crate::query;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::{ServerLock, SqliteStore};
use crate::store::{Store, StoreError};

/// Why Lectern can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database can't be used.
    #[error("the database {database} can't be opened")]
    Store {
        /// Which one, without a password.
        database: String,
        /// Why not.
        source: StoreError,
    },
    /// A handler's own settings can't be used.
    #[error("the handler `{handler}` can't be set up: {error}")]
    Handler {
        /// Its configured name.
        handler: String,
        /// What is wrong.
        error: SettingsError,
    },
    /// An address can't be listened at.
    #[error("can't listen at {address} ({key})")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The configuration's key for it.
        key: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// How long the handlers and the store may take to end, once the listeners have.
const END_WITHIN: Duration = Duration::from_secs(8);

/// A Lectern that holds its ports and its store, and is ready to run.
pub struct App {
    public: TcpListener,
    internal: TcpListener,
    public_routes: axum::Router,
    internal_routes: axum::Router,
    handlers: Vec<dispatch::Ready>,
    quarantine: QuarantineWriter,
    config: Config,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Held as long as the process serves an SQLite file.
    _lock: Option<ServerLock>,
}

impl App {
    /// Opens the store, sets up the handlers and takes the ports. Nothing is served yet.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn start(config: Config, registry: &Registry) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // What needs no other system first: a misspelt setting is told at once, whatever else is down.
        let handlers =
            config.handlers.iter().map(|handler| ready(handler, registry)).collect::<Result<_, _>>()?;
        let public = listen(config.public.listen, "public.listen").await?;
        let internal = listen(config.internal.listen, "internal.listen").await?;
        let (store, lock) = open_to_serve(&config.database, clock.now()).await?;

        tell_of_abandoned_work(&config, &*store).await;

        let deadline = config.public.store_deadline;
        let (quarantine, quarantine_writer) =
            Quarantine::new(config.quarantine, deadline, Arc::clone(&store), Arc::clone(&clock));
        let ingest = Arc::new(Ingest {
            sources: config.sources.iter().map(source).collect(),
            subscriptions: config.handlers.iter().map(|handler| handler.subscription.clone()).collect(),
            window: config.verification,
            quarantine,
            max_body: config.public.max_body,
            store_deadline: deadline,
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
        });
        let token = TokenDigest::of(config.internal.api_token.expose_secret());
        let release: Arc<dyn query::Release> = Arc::clone(&ingest) as _;
        let query = query::State::new(Arc::clone(&store), Arc::clone(&clock), token, release);
        let health = http::health(Arc::clone(&store));
        Ok(Self {
            public,
            internal,
            public_routes: http::wrap(ingest::router(ingest).merge(health.clone())),
            internal_routes: http::wrap(query::router(query).merge(health)),
            handlers,
            quarantine: quarantine_writer,
            config,
            store,
            clock,
            _lock: lock,
        })
    }

    /// Where the public listener listens: the port that was found when the configured one is 0.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.local_addr().unwrap_or(self.config.public.listen)
    }

    /// Where the internal listener listens.
    #[must_use]
    pub fn internal_address(&self) -> SocketAddr {
        self.internal.local_addr().unwrap_or(self.config.internal.listen)
    }

    /// Serves until `stop` ends; then finishes what is under way, within seconds, and closes.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let token = CancellationToken::new();
        let tasks = TaskTracker::new();
        tokio::spawn({
            let token = token.clone();
            async move {
                stop.await;
                token.cancel();
            }
        });
        dispatch::start(self.handlers, self.config.dispatch, &self.store, &self.clock, &token, &tasks);
        tasks.spawn(dispatch::forget_old_events(
            self.config.retention,
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            token.clone(),
        ));
        // It ends after the last request, which may be waiting for it.
        let served = CancellationToken::new();
        tasks.spawn(self.quarantine.run(served.clone()));
        tokio::join!(
            http::serve(self.public, self.public_routes, token.clone()),
            http::serve(self.internal, self.internal_routes, token.clone()),
        );
        served.cancel();
        tasks.close();
        // A store that doesn't answer must not keep the process: what it still holds is taken up by the next.
        let ending = async {
            tasks.wait().await;
            self.store.close().await;
        };
        if timeout(END_WITHIN, ending).await.is_err() {
            tracing::warn!("stopped without an answer from the store");
        }
    }
}

#[async_trait]
impl query::Release for Ingest {
    async fn release(&self, filter: &QuarantineFilter) -> Result<Released, StoreError> {
        self.release_from_quarantine(filter).await
    }
}

/// Opens the configured store and brings its schema up to date.
///
/// # Errors
/// When it can't be reached or is not ours.
pub async fn open_store(database: &Database) -> Result<Arc<dyn Store>, StartError> {
    let store: Result<Arc<dyn Store>, _> = match &database.url {
        DatabaseUrl::Sqlite(path) => SqliteStore::open(path).await.map(|store| Arc::new(store) as _),
        DatabaseUrl::Postgres(url) => PostgresStore::connect(url.expose_secret(), database.max_connections)
            .await
            .map(|store| Arc::new(store) as _),
    };
    store.map_err(|source| cannot_open(database, source))
}

/// The same, for the one process that may serve an SQLite file.
async fn open_to_serve(
    database: &Database,
    now: Timestamp,
) -> Result<(Arc<dyn Store>, Option<ServerLock>), StartError> {
    let DatabaseUrl::Sqlite(path) = &database.url else {
        return Ok((open_store(database).await?, None));
    };
    let opening = async {
        let lock = ServerLock::acquire(path)?;
        let store = SqliteStore::open(path).await?;
        store.end_leases(&lock, now).await?;
        Ok((Arc::new(store) as _, Some(lock)))
    };
    opening.await.map_err(|source| cannot_open(database, source))
}

/// A handler that was renamed or removed leaves its open deliveries behind, and nobody else would notice.
async fn tell_of_abandoned_work(config: &Config, store: &dyn Store) {
    // It is no reason not to start: whether the store answers shows soon enough.
    for (handler, open) in store.backlog().await.unwrap_or_default() {
        if !config.handlers.iter().any(|configured| configured.subscription.handler == handler) {
            tracing::warn!(handler, open, "deliveries wait for a handler that is not configured");
        }
    }
}

fn cannot_open(database: &Database, source: StoreError) -> StartError {
    StartError::Store { database: database.url.to_string(), source }
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, StartError> {
    http::bind(address).await.map_err(|source| StartError::Listen { address, key, source })
}

fn source(config: &SourceConfig) -> (String, Arc<Source>) {
    if config.allow_unsigned {
        tracing::warn!(
            source = config.name,
            "this source accepts requests without a signature: whoever can reach it can make up events"
        );
    }
    let keys = config.secrets.iter().map(|secret| SourceKey {
        name: secret.name.clone(),
        key: SigningKey::new(secret.value.expose_secret()),
    });
    let source = Source {
        name: config.name.clone(),
        keys: keys.collect(),
        allow_unsigned: config.allow_unsigned,
        on_unverified: config.on_unverified,
    };
    (config.name.clone(), Arc::new(source))
}

fn ready(config: &HandlerConfig, registry: &Registry) -> Result<dispatch::Ready, StartError> {
    let name = config.subscription.handler.clone();
    match registry.build(&config.kind, config.settings.clone()) {
        Ok(handler) => Ok(dispatch::Ready {
            name,
            handler: handler.into(),
            concurrency: config.concurrency,
            timeout: config.timeout,
            retry: config.retry,
        }),
        Err(error) => Err(StartError::Handler { handler: name, error }),
    }
}
