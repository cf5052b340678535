//! The one place that knows everything: it builds the rooms from the configuration and hands them to each other.

mod files;
mod opening;
mod outside;
mod reload;
mod secrets;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
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
use crate::ingest::{Ingest, Inside, Parts, Quarantine, QuarantineWriter, Subscriber};
use crate::mirror;
use crate::model::{Finding, QuarantineFilter, Released, TokenDigest};
use crate::query;
use crate::spool::{Spool, SpoolError};
use crate::store::sqlite::ServerLock;
use crate::store::{Database as Everything, Store, StoreError};
use crate::telemetry;
use crate::upkeep;
use crate::upkeep::{Intake, Watchdog};

use files::Connections;
pub use opening::open_store;
pub use outside::{Outside, OutsideError};
pub use reload::Reload;
use secrets::Secrets;
pub use secrets::together;

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
    /// Podium can't be spoken with.
    #[error(transparent)]
    Outside(#[from] OutsideError),
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

/// How long a stop takes at the most: container engines kill what has not ended after 10 seconds, and the runtime needs a
/// moment, too. The listeners have 5 of these, and so have calls of handlers; a batch of events needs 3 until it is in the
/// store or in the spool.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// How long a start waits for the tables of the next weeks.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// A Lectern that holds its ports and its store, and is ready to run.
pub struct App {
    public: TcpListener,
    internal: TcpListener,
    public_routes: axum::Router,
    internal_routes: axum::Router,
    handlers: Vec<dispatch::Ready>,
    quarantine: QuarantineWriter,
    connections: Connections,
    config: Config,
    secrets: Arc<Secrets>,
    outside: Option<Outside>,
    intake: Arc<dyn Intake>,
    findings: watch::Sender<Arc<[Finding]>>,
    database: Arc<dyn Everything>,
    tokens: Arc<query::Tokens>,
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
        // First: what is counted before would be lost.
        telemetry::metrics::start(config.role.as_str());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // What needs no other system first: a misspelt setting is told at once, whatever else is down.
        let handlers =
            config.handlers.iter().map(|handler| ready(handler, registry)).collect::<Result<_, _>>()?;
        let connections = Connections::of(&config);
        let public = listen(config.public.listen, "public.listen").await?;
        let internal = listen(config.internal.listen, "internal.listen").await?;
        let spool = Spool::open(&config.spool.dir, config.spool.max_bytes).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (database, lock) = opening::open_to_serve(&config, &tasks, &stop).await?;
        let store: Arc<dyn Store> = Arc::clone(&database) as _;
        // Before the first webhook: it finds the table of its week.
        let _later = timeout(READY_WITHIN, dispatch::make_ready(&*database, &*clock)).await;

        let deadline = config.public.store_deadline;
        let outside = if Outside::is_wanted(&config.podium, &config.data_dir) {
            let (podium, internal) =
                (&config.podium, internal.local_addr().unwrap_or(config.internal.listen));
            Some(Outside::new(podium, &config.data_dir, internal, Arc::clone(&database), Arc::clone(&clock))?)
        } else {
            None
        };
        let kept = outside.as_ref().map(|outside| &*outside.secrets);
        let secrets = Secrets::at_start(config.sources.clone(), kept, Arc::clone(&clock)).await;
        let (secrets, findings) = (Arc::new(secrets), watch::Sender::new(Arc::default()));
        let sources = Arc::clone(secrets.sources());
        let inside = Inside::new(
            config.handlers.iter().map(subscriber).collect(),
            Arc::clone(&store),
            Arc::clone(&clock),
        );
        let (quarantine, quarantine_writer) =
            Quarantine::new(config.quarantine, deadline, &sources, Arc::clone(&store), Arc::clone(&clock));
        let parts = Parts {
            sources: Arc::clone(&sources),
            subscribers: config.handlers.iter().map(subscriber).collect(),
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
        let tokens = Arc::new(query::Tokens::new(TokenDigest::of(config.internal.api_token.expose_secret())));
        let query = query::State {
            store: Arc::clone(&store),
            mirror: Arc::clone(&database) as _,
            clock: Arc::clone(&clock),
            tokens: Arc::clone(&tokens),
            sources: sources.listed(),
            handlers: config.handlers.iter().map(HandlerConfig::without_settings).collect(),
            release: Arc::clone(&ingest) as _,
            podium: outside.clone().map(|outside| Arc::new(outside) as _),
            metrics: metrics(spool.clone(), Arc::clone(&store), Arc::clone(&clock)),
            stop: stop.clone(),
            listeners: query::listeners(),
        };
        let webhooks = if config.role.receives() { ingest::router(ingest) } else { axum::Router::new() };
        let health = Health::new(Arc::clone(&store), spool, Arc::clone(&clock), findings.subscribe());
        Ok(Self {
            public,
            internal,
            public_routes: http::wrap_public(webhooks.merge(http::health(health.clone(), false))),
            internal_routes: http::wrap_internal(query::router(query).merge(http::health(health, true))),
            handlers,
            quarantine: quarantine_writer,
            connections,
            config,
            secrets,
            outside,
            intake: Arc::new(inside),
            findings,
            database,
            tokens,
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
        Reload { layers, latest: started.clone(), started, secrets: Arc::clone(&self.secrets) }
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
        tasks.spawn(token.clone().run_until_cancelled_owned(telemetry::metrics::tidy()));
        tasks.spawn(dispatch::keep_ready(
            Arc::clone(&self.database) as _,
            Arc::clone(&self.clock),
            token.clone(),
        ));
        tasks.spawn(dispatch::measure(Arc::clone(&self.database), Arc::clone(&self.clock), token.clone()));
        if self.config.role.dispatches() {
            let (dead, telling) = mpsc::channel(upkeep::WAITING);
            dispatch::start(
                self.handlers,
                self.config.dispatch,
                &self.store,
                &self.clock,
                &dead,
                &token,
                &tasks,
            );
            let telling = upkeep::tell_of_dead_letters(
                telling,
                Arc::clone(&self.store),
                Arc::clone(&self.intake),
                Arc::clone(&self.clock),
            );
            tasks.spawn(token.clone().run_until_cancelled_owned(telling));
            tasks.spawn(dispatch::forget_old(
                self.config.retention,
                Arc::clone(&self.database) as _,
                Arc::clone(&self.clock),
                token.clone(),
            ));
            tasks.spawn(mirror::run(
                Arc::clone(&self.database) as _,
                Arc::clone(&self.clock),
                self.store.work_signal(),
                token.clone(),
            ));
            tasks.spawn(dispatch::run_replays(
                Arc::clone(&self.store),
                Arc::clone(&self.clock),
                token.clone(),
            ));
        }
        if let Some(outside) = &self.outside {
            tasks.spawn(Arc::clone(&self.secrets).follow(Arc::clone(&outside.secrets), token.clone()));
            tasks.spawn(upkeep::keep_people(
                outside.people.clone(),
                Arc::clone(&outside.client),
                Arc::clone(&self.database) as _,
                Arc::clone(&self.clock),
                token.clone(),
            ));
        }
        let watchdog = watchdog(
            &self.config,
            self.outside.as_ref(),
            &self.secrets,
            &self.database,
            self.intake,
            self.findings,
            &self.clock,
        );
        tasks.spawn(upkeep::watch(watchdog, token.clone()));
        let outside = self.outside;
        let Connections { public, internal } = self.connections;
        let [public, internal] = [public, internal].map(http::Limits::with_connections);
        // What ends after the last request: one may still be waiting for it, or be counted.
        let served = CancellationToken::new();
        let uses = Arc::clone(self.secrets.sources().uses());
        tasks.spawn(ingest::write_uses(uses, Arc::clone(&self.store), served.clone()));
        tasks.spawn(query::keep_tokens(
            self.tokens,
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            served.clone(),
        ));
        tasks.spawn(self.quarantine.run(served.clone()));
        let serving = async {
            tokio::join!(
                http::serve(self.public, self.public_routes, public, token.clone()),
                http::serve(self.internal, self.internal_routes, internal, token.clone()),
            );
            // The routes are gone now, and with them whoever could hand something to a lane: each commits what it has, and ends.
            served.cancel();
            tasks.close();
            tasks.wait().await;
            if let Some(outside) = outside {
                outside.account.rest().await;
            }
            self.store.close().await;
        };
        let time_is_up = async {
            token.cancelled().await;
            sleep(STOP_WITHIN).await;
        };
        tokio::select! {
            () = serving => {}
            // A store that doesn't answer must not keep the process: what it still holds is taken up by the next.
            () = time_is_up => tracing::warn!("stopped without an answer from the store"),
        }
    }
}

#[async_trait]
impl query::Release for Ingest {
    async fn release(&self, filter: &QuarantineFilter) -> Result<Released, StoreError> {
        self.release_from_quarantine(filter).await
    }
}

/// What answers whoever monitors this: what is counted, and what can be looked up at the moment of asking.
fn metrics(spool: Spool, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> query::Metrics {
    Arc::new(move || {
        let depth = spool.depth();
        let age = depth.oldest.map_or(0.0, |oldest| clock.now().duration_since(oldest).as_secs_f64());
        telemetry::metrics::spool(
            depth.events,
            depth.bytes,
            spool.max_bytes(),
            age.max(0.0),
            depth.set_aside,
        );
        let pool = store.connections();
        telemetry::metrics::connections(pool.open, pool.resting, pool.most);
        telemetry::metrics::render()
    })
}

/// What accepts events that came by no request, with the configured handlers.
#[must_use]
pub fn intake(config: &Config, database: &Arc<dyn Everything>) -> Arc<dyn Intake> {
    let subscribers = config.handlers.iter().map(subscriber).collect();
    Arc::new(Inside::new(subscribers, Arc::clone(database) as _, Arc::new(SystemClock)))
}

/// What watches whether Podium sends.
fn watchdog(
    config: &Config,
    outside: Option<&Outside>,
    secrets: &Arc<Secrets>,
    database: &Arc<dyn Everything>,
    intake: Arc<dyn Intake>,
    findings: watch::Sender<Arc<[Finding]>>,
    clock: &Arc<dyn Clock>,
) -> Watchdog {
    let registrations = outside.filter(|_| !config.podium.webhooks.is_empty()).map(|outside| {
        let secrets = Arc::clone(secrets);
        Arc::new(outside.registrations(move || secrets.configured()))
    });
    Watchdog {
        config: config.podium.watchdog,
        sources: config.sources.iter().map(|source| source.name.clone()).collect(),
        registrations,
        repair: outside.map(|outside| Arc::new(outside.repair(Arc::clone(&intake)))),
        store: Arc::clone(database) as _,
        notes: Arc::clone(database) as _,
        intake,
        findings,
        clock: Arc::clone(clock),
    }
}

/// How many batches are committed side by side.
fn lanes(database: &Database) -> usize {
    match database.url {
        // It takes one writer at a time.
        DatabaseUrl::Sqlite(_) => 1,
        DatabaseUrl::Postgres(_) => database.lanes as usize,
    }
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, StartError> {
    http::bind(address).await.map_err(|source| StartError::Listen { address, key, source })
}

fn subscriber(config: &HandlerConfig) -> Subscriber {
    Subscriber::new(config.subscription.clone(), config.when.clone())
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
            on_dead: config.on_dead,
        }),
        Err(error) => Err(StartError::Handler { handler: name, error }),
    }
}
