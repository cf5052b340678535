//! The one place that knows everything: it builds the rooms from the configuration and hands them to each other.

mod reload;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Database, DatabaseUrl, HandlerConfig, Layers, SettingsError, Snapshot};
use crate::dispatch;
use crate::handlers::Registry;
use crate::http;
use crate::http::Health;
use crate::ingest;
use crate::ingest::{Ingest, Parts, Quarantine, QuarantineWriter, Sources};
use crate::model::{QuarantineFilter, Released, TokenDigest};
use crate::query;
use crate::spool::{Spool, SpoolError};
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::{ServerLock, SqliteStore};
use crate::store::{Store, StoreError};
use crate::telemetry;
use crate::telemetry::Chain;

pub use reload::Reload;

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
    /// The spool can't be used.
    #[error("the spool can't be used (`spool.dir`)")]
    Spool(#[from] SpoolError),
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

/// How soon a database that was away at the start is asked again.
const OPEN_AGAIN: Duration = Duration::from_secs(1);
/// How many connections the internal listener has at once. No key: your own systems need few, and it bears with as many slow
/// ones as the public listener does.
const INTERNAL_CONNECTIONS: u32 = 1024;

/// A Lectern that holds its ports and its store, and is ready to run.
pub struct App {
    public: TcpListener,
    internal: TcpListener,
    public_routes: axum::Router,
    internal_routes: axum::Router,
    handlers: Vec<dispatch::Ready>,
    quarantine: QuarantineWriter,
    config: Config,
    sources: Arc<Sources>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// What runs beside the listeners, and its end.
    tasks: TaskTracker,
    stop: CancellationToken,
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
        let spool = Spool::open(&config.spool.dir, config.spool.max_bytes).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (store, lock) = open_to_serve(&config, clock.now(), &tasks, &stop).await?;

        let deadline = config.public.store_deadline;
        let (quarantine, quarantine_writer) =
            Quarantine::new(config.quarantine, deadline, Arc::clone(&store), Arc::clone(&clock));
        let sources = Arc::new(Sources::new(&config.sources, clock.now()));
        let parts = Parts {
            sources: Arc::clone(&sources),
            subscriptions: config.handlers.iter().map(|handler| handler.subscription.clone()).collect(),
            window: config.verification,
            quarantine,
            bodies: http::Bodies::up_to(config.public.max_body),
            lanes: lanes(&config.database),
            store_deadline: deadline,
            store: Arc::clone(&store),
            spool: spool.clone(),
            clock: Arc::clone(&clock),
        };
        let ingest = Ingest::start(parts, &tasks, &stop);
        let query = query::State {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            api_token: TokenDigest::of(config.internal.api_token.expose_secret()),
            sources: sources.listed(),
            release: Arc::clone(&ingest) as _,
            metrics: metrics(spool.clone(), Arc::clone(&clock)),
        };
        let health = Health { store: Arc::clone(&store), spool, clock: Arc::clone(&clock) };
        Ok(Self {
            public,
            internal,
            public_routes: http::wrap(ingest::router(ingest).merge(http::health(health.clone(), false))),
            internal_routes: http::wrap(query::router(query).merge(http::health(health, true))),
            handlers,
            quarantine: quarantine_writer,
            config,
            sources,
            store,
            clock,
            tasks,
            stop,
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

    /// What reads the configuration again while this runs: `layers` are those that it was read from, and `started` is
    /// what they came to.
    #[must_use]
    pub fn reload(&self, layers: Layers, started: Snapshot) -> Reload {
        let (sources, clock) = (Arc::clone(&self.sources), Arc::clone(&self.clock));
        Reload { layers, latest: started.clone(), started, sources, clock }
    }

    /// Serves until `stop` ends; then finishes what is under way, within seconds, and closes.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let Self { tasks, stop: token, .. } = self;
        tokio::spawn({
            let token = token.clone();
            async move {
                stop.await;
                token.cancel();
            }
        });
        dispatch::start(self.handlers, self.config.dispatch, &self.store, &self.clock, &token, &tasks);
        tasks.spawn(token.clone().run_until_cancelled_owned(telemetry::metrics::tidy()));
        tasks.spawn(dispatch::forget_old_events(
            self.config.retention,
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            token.clone(),
        ));
        let public = http::Limits::with_connections(self.config.public.max_connections);
        let internal = http::Limits::with_connections(INTERNAL_CONNECTIONS);
        // What ends after the last request: one may still be waiting for it, or be counted.
        let served = CancellationToken::new();
        let uses = Arc::clone(self.sources.uses());
        tasks.spawn(ingest::write_uses(uses, Arc::clone(&self.store), served.clone()));
        tasks.spawn(self.quarantine.run(served.clone()));
        tokio::join!(
            http::serve(self.public, self.public_routes, public, token.clone()),
            http::serve(self.internal, self.internal_routes, internal, token.clone()),
        );
        // The routes are gone now, and with them whoever could hand something to a lane: each commits what it has, and ends.
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

/// The same, for the one process that may serve an SQLite file, and for a PostgreSQL that may be away: then it is opened
/// as soon as it is there, and events go to the spool until then.
async fn open_to_serve(
    config: &Config,
    now: Timestamp,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Arc<dyn Store>, Option<ServerLock>), StartError> {
    let database = &config.database;
    let opening = async {
        match &database.url {
            DatabaseUrl::Sqlite(path) => {
                let lock = ServerLock::acquire(path)?;
                let store = SqliteStore::open(path).await?;
                store.end_leases(&lock, now).await?;
                Ok((Arc::new(store) as Arc<dyn Store>, Some(lock)))
            }
            DatabaseUrl::Postgres(url) => {
                let store = PostgresStore::at(url.expose_secret(), database.max_connections)?;
                let store = Arc::new(store);
                match store.prepare().await {
                    Err(error @ StoreError::Unavailable(_)) => {
                        tracing::error!(
                            database = %database.url,
                            error = %Chain(&error),
                            "the database is away: events go to the spool until it is there"
                        );
                        let opening = open_later(Arc::clone(&store));
                        tasks.spawn(stop.clone().run_until_cancelled_owned(opening));
                    }
                    prepared => prepared?,
                }
                Ok((store as _, None))
            }
        }
    };
    let (store, lock) = opening.await.map_err(|source| cannot_open(database, source))?;
    tell_of_abandoned_work(config, &*store).await;
    Ok((store, lock))
}

/// Opens a database that was away, as soon as it is there.
async fn open_later(store: Arc<PostgresStore>) {
    let mut told = String::new();
    while let Err(error) = store.prepare().await {
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

/// What answers whoever monitors this: what is counted, and what can be looked up at the moment of asking.
fn metrics(spool: Spool, clock: Arc<dyn Clock>) -> query::Metrics {
    telemetry::metrics::start();
    Arc::new(move || {
        let depth = spool.depth();
        let age = depth.oldest.map_or(0.0, |oldest| clock.now().duration_since(oldest).as_secs_f64());
        telemetry::metrics::spool(depth.events, depth.bytes, age.max(0.0), depth.set_aside);
        telemetry::metrics::render()
    })
}

/// How many batches are committed side by side.
fn lanes(database: &Database) -> usize {
    match database.url {
        // It takes one writer at a time.
        DatabaseUrl::Sqlite(_) => 1,
        DatabaseUrl::Postgres(_) => database.lanes as usize,
    }
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
