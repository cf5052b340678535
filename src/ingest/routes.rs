//! The webhook endpoints, and the journey through the stages.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::post;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept::Receipt;
use super::commit::Commit;
use super::decode::decode;
use super::drain::Drain;
use super::lanes::Lanes;
use super::receive::receive;
use super::rejection::Rejection;
use super::rejection_log::RejectionLog;
use super::source::Sources;
use super::verify::verify;
use crate::clock::Clock;
use crate::config::Verification;
use crate::http::{Bodies, drain};
use crate::model::Subscription;
use crate::spool::Spool;
use crate::store::Store;

/// The source of the endpoint that names none.
const DEFAULT_SOURCE: &str = "default";

/// What ingest is made of.
pub struct Ingest {
    /// The webhooks that may call.
    pub sources: Arc<Sources>,
    /// Who wants to hear of what.
    pub subscriptions: Vec<Subscription>,
    /// Which signatures are still good.
    pub window: Verification,
    /// What reads the bodies.
    pub bodies: Bodies,
    /// How many batches are committed side by side.
    pub lanes: usize,
    /// How long the store may take, before an event goes to the spool.
    pub store_deadline: Duration,
    /// Where events become durable.
    pub store: Arc<dyn Store>,
    /// Where they become durable while the store is away.
    pub spool: Spool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Starts the lanes and the way from the spool to the store, which ends with `stop`, as tasks of `tasks`; answers with
/// `POST /webhooks/podium` and `POST /webhooks/podium/{source}`. The lanes end, with everything committed, when the routes
/// are dropped.
pub fn start(ingest: Ingest, tasks: &TaskTracker, stop: &CancellationToken) -> Router {
    let Ingest { sources, subscriptions, window, bodies, lanes, store_deadline, store, spool, clock } =
        ingest;
    let subscriptions: Arc<[Subscription]> = subscriptions.into();
    let drain =
        Drain { spool: spool.clone(), store: Arc::clone(&store), subscriptions: Arc::clone(&subscriptions) };
    tasks.spawn(drain.run(stop.clone()));
    let lanes = Lanes::start(lanes, Commit::new(store, spool, store_deadline), tasks);
    let journey =
        Journey { sources, subscriptions, window, bodies, lanes, log: RejectionLog::default(), clock };
    Router::new()
        .route("/webhooks/podium", post(from_default))
        .route("/webhooks/podium/{source}", post(from_named))
        // As a person may well type them at Podium, who would hold back every event for the slash.
        .route("/webhooks/podium/", post(from_default))
        .route("/webhooks/podium/{source}/", post(from_named))
        .with_state(Arc::new(journey))
}

/// Everything that a request needs on its way.
struct Journey {
    sources: Arc<Sources>,
    subscriptions: Arc<[Subscription]>,
    window: Verification,
    bodies: Bodies,
    lanes: Lanes,
    log: RejectionLog,
    clock: Arc<dyn Clock>,
}

async fn from_default(
    State(journey): State<Arc<Journey>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Receipt, Rejection> {
    journey.take(DEFAULT_SOURCE, headers, body).await
}

async fn from_named(
    State(journey): State<Arc<Journey>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Receipt, Rejection> {
    // What is no UTF-8 is no source's name, and neither is nothing.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    journey.take(&name, headers, body).await
}

impl Journey {
    async fn take(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Receipt, Rejection> {
        let outcome = self.through(source, headers, body).await;
        if let Err(rejection) = &outcome {
            // The name is only shown when it is one of ours: anybody can write anything into a path.
            let source = self.sources.get(source).map(|source| source.name.clone());
            self.log.tell(source.as_deref(), rejection.code(), self.clock.now());
        }
        outcome
    }

    async fn through(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Receipt, Rejection> {
        let Some(source) = self.sources.get(source) else {
            drain(body).await;
            return Err(Rejection::UnknownSource);
        };
        let received = receive(source, headers, body, &self.bodies, &*self.clock).await?;
        let verified = verify(received, self.window)?;
        let event = decode(verified, &self.subscriptions);
        self.lanes.accept(event).await
    }
}
