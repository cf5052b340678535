//! The webhook endpoints, and the journey through the stages.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::commit::{Commit, Receipt};
use super::decode::decode;
use super::drain::Drain;
use super::lanes::Lanes;
use super::quarantine::{Held, Quarantine};
use super::receive::receive;
use super::rejection::Rejection;
use super::rejection_log::RejectionLog;
use super::source::{Source, Sources};
use super::subscriber::Subscriber;
use super::verify::{Verified, verify};
use crate::clock::Clock;
use crate::config::Verification;
use crate::http::{Bodies, drain};
use crate::model::TraceContext;
use crate::spool::Spool;
use crate::store::Store;
use crate::telemetry::{metrics, traces};

/// The source of the endpoint that names none.
const DEFAULT_SOURCE: &str = "default";

/// What ingest is made of.
pub struct Parts {
    /// The webhooks that may call.
    pub sources: Arc<Sources>,
    /// Who wants to hear of what.
    pub subscribers: Vec<Subscriber>,
    /// Which signatures are still good.
    pub window: Verification,
    /// Where requests go that fail verification.
    pub quarantine: Quarantine,
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

/// Everything that a request needs on its way.
pub struct Ingest {
    pub(super) sources: Arc<Sources>,
    subscribers: Arc<[Subscriber]>,
    pub(super) window: Verification,
    quarantine: Quarantine,
    bodies: Bodies,
    lanes: Lanes,
    log: RejectionLog,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Proof that a request is durable, in one way or the other: nothing else becomes a 200.
enum Durable {
    Event(Receipt),
    Held(Held),
}

impl Durable {
    /// What became of the request, in a word.
    const fn outcome(&self) -> &'static str {
        match self {
            Self::Event(receipt) => receipt.outcome(),
            Self::Held(_) => "held",
        }
    }
}

impl IntoResponse for Durable {
    fn into_response(self) -> Response {
        match self {
            Self::Event(receipt) => receipt.into_response(),
            Self::Held(held) => held.into_response(),
        }
    }
}

/// `POST /webhooks/podium` and `POST /webhooks/podium/{source}`.
pub fn router(ingest: Arc<Ingest>) -> Router {
    Router::new()
        .route("/webhooks/podium", post(from_default))
        .route("/webhooks/podium/{source}", post(from_named))
        // As a person may well type them at Podium, who would hold back every event for the slash.
        .route("/webhooks/podium/", post(from_default))
        .route("/webhooks/podium/{source}/", post(from_named))
        .with_state(ingest)
}

async fn from_default(
    State(ingest): State<Arc<Ingest>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    ingest.take(DEFAULT_SOURCE, headers, body).await
}

async fn from_named(
    State(ingest): State<Arc<Ingest>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    // What is no UTF-8 is no source's name, and neither is nothing.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    ingest.take(&name, headers, body).await
}

impl Ingest {
    /// Starts the lanes and the way from the spool to the store as tasks of `tasks`. The latter ends with `stop`, the lanes
    /// once this has been dropped, with all that they were given made durable.
    #[must_use]
    pub fn start(parts: Parts, tasks: &TaskTracker, stop: &CancellationToken) -> Arc<Self> {
        let Parts { sources, window, quarantine, bodies, lanes, store_deadline, store, spool, clock, .. } =
            parts;
        let subscribers: Arc<[Subscriber]> = parts.subscribers.into();
        let commit = Commit::new(Arc::clone(&store), spool.clone(), store_deadline);
        let lanes = Lanes::start(lanes, commit, tasks);
        let drain = Drain::new(spool, Arc::clone(&store), Arc::clone(&subscribers), Arc::clone(&clock));
        tasks.spawn(drain.run(stop.clone()));
        let log = RejectionLog::default();
        metrics::may_be_rejected("", &[Rejection::UnknownSource.code()]);
        Arc::new(Self { sources, subscribers, window, quarantine, bodies, lanes, log, store, clock })
    }

    async fn take(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Response, Rejection> {
        // The headers are here: from now on Podium waits.
        let since = Instant::now();
        // The name is only shown when it is one of ours: anybody can write anything into a path.
        let source = self.sources.get(source);
        let durable = self.journey(source.clone(), headers, body, since).await;
        let source = source.as_ref().map(|source| &*source.name);
        metrics::answered(durable.as_ref().map_or("rejected", Durable::outcome), since.elapsed());
        match &durable {
            Ok(Durable::Event(_)) => metrics::accepted(source.unwrap_or_default()),
            Ok(Durable::Held(_)) => {}
            Err(rejection) => {
                metrics::rejected(source.unwrap_or_default(), rejection.code());
                self.log.tell(source, rejection.code(), self.clock.now());
            }
        }
        durable.map(IntoResponse::into_response)
    }

    async fn journey(
        &self,
        source: Option<Arc<Source>>,
        headers: HeaderMap,
        body: Body,
        since: Instant,
    ) -> Result<Durable, Rejection> {
        let Some(source) = source else {
            drain(body).await;
            return Err(Rejection::UnknownSource);
        };
        let received = receive(source, headers, body, &self.bodies, &*self.clock).await?;
        match verify(received, self.window) {
            Ok(verified) => self.accept_since(since, verified).await.map(Durable::Event),
            Err(unverified) => self.quarantine.take_in(unverified).await.map(Durable::Held),
        }
    }

    /// The rest of the way, for whatever was verified.
    pub(super) async fn accept(&self, verified: Verified) -> Result<Receipt, Rejection> {
        self.accept_since(Instant::now(), verified).await
    }

    async fn accept_since(&self, since: Instant, verified: Verified) -> Result<Receipt, Rejection> {
        let event = decode(verified, &self.subscribers);
        let (source, event_type) = event.labels();
        let caused_by = if traces::are_sent() { event.caused_by() } else { None };
        let receipt = self.lanes.accept(event, since).await?;
        metrics::received(&source, event_type, receipt.outcome());
        // One that is known already has had its own.
        if traces::are_sent() && receipt.is_new() {
            let told = traces::Receipt {
                context: TraceContext::of_receipt(receipt.id()),
                event_id: receipt.id().to_string(),
                source: &source,
                event_type,
                outcome: receipt.outcome(),
                caused_by,
                is_of_request: true,
            };
            traces::received(&told, self.clock.now(), since.elapsed());
        }
        Ok(receipt)
    }
}
