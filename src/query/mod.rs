//! The internal REST API: what people and programs ask about what arrived, what they tell handlers
//! and deliveries to do, and the quarantine.
//! It follows the conventions of Podium's own API, and answers nobody without a token.

mod answer;
mod auth;
mod body;
mod cursor;
mod deliveries;
mod etag;
mod events;
mod failures;
mod handlers;
mod metrics;
mod mirror;
mod page;
mod params;
mod path;
mod quarantine;
mod refusal;
mod replays;
mod resources;
mod sources;
mod stats;
mod stream;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::clock::Clock;
use crate::model::{Content, EventId, HandlerConfiguration, Source};
use crate::store::{MirrorStore, Store, StoreError};
pub use quarantine::Release;
use refusal::Refusal;
pub use tokens::{Tokens, keep_tokens};

/// What the API answers from.
#[derive(Clone)]
pub struct State {
    /// What arrived, and what became of it.
    pub store: Arc<dyn Store>,
    /// The picture that it gives.
    pub mirror: Arc<dyn MirrorStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who may ask.
    pub tokens: Arc<Tokens>,
    /// The sources that may call now.
    pub sources: watch::Receiver<Arc<[Source]>>,
    /// The configured handlers.
    pub handlers: Arc<[HandlerConfiguration]>,
    /// What lets requests out of the quarantine.
    pub release: Arc<dyn Release>,
    /// What monitoring reads.
    pub metrics: Metrics,
    /// The word that the process stops: streams end.
    pub stop: CancellationToken,
    /// The places for those who listen to the stream of events.
    pub listeners: Arc<Semaphore>,
}

/// What gives all metrics as a text, in the form that Prometheus reads.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

impl State {
    async fn content(&self, id: EventId) -> Result<Option<Content>, StoreError> {
        Ok(self.store.contents(&[id]).await?.into_iter().next().map(|(_, content)| content))
    }
}

/// The places for those who listen to the stream of events.
#[must_use]
pub fn listeners() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(stream::LISTENERS))
}

/// The API under `/api/v1`, and `/metrics`. Nothing under `/api/` is answered without a token, not even that it is not there.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/events/stream", get(stream::open))
        .route("/api/v1/events/{id}", get(events::show))
        .route("/api/v1/events/{id}/body", get(body::show))
        .route("/api/v1/events/{id}/deliveries", get(deliveries::of_event))
        .route("/api/v1/deliveries", get(deliveries::list))
        .route("/api/v1/deliveries/{id}", get(deliveries::show))
        .route("/api/v1/deliveries/{id}/replay", post(deliveries::replay))
        .route("/api/v1/deliveries/{id}/resolve", post(deliveries::resolve))
        .route("/api/v1/replays", get(replays::list).post(replays::begin))
        .route("/api/v1/replays/{id}", get(replays::show))
        .route("/api/v1/replays/{id}/cancel", post(replays::cancel))
        .route("/api/v1/handlers", get(handlers::list))
        .route("/api/v1/handlers/{name}", get(handlers::show))
        .route("/api/v1/handlers/{name}/pause", post(handlers::pause))
        .route("/api/v1/handlers/{name}/resume", post(handlers::resume))
        .route("/api/v1/sources", get(sources::list))
        .route("/api/v1/quarantine", get(quarantine::list).delete(quarantine::delete_all))
        .route("/api/v1/quarantine/release", post(quarantine::release))
        .route("/api/v1/quarantine/{id}", get(quarantine::show).delete(quarantine::delete))
        .route("/api/v1/quarantine/{id}/body", get(quarantine::show_body))
        .route("/api/v1/stats", get(stats::show))
        .route("/api/v1/mirror", get(mirror::show))
        .route("/api/v1/mirror/rebuild", post(mirror::rebuild))
        .route("/api/v1/mirror/skipped", get(mirror::skipped))
        .merge(resources::routes())
        .route("/metrics", get(metrics::show))
        // A route and not a fallback: a fallback would be replaced by that of the listener, which asks for no token.
        .route("/api/{*rest}", any(async || Refusal::RouteNotFound))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        // Before it is compressed: a tag is of what is said, however it is sent.
        .layer(from_fn(etag::tag))
        // What streams is left as it is: it would wait for more to be compressed with.
        .layer(CompressionLayer::new())
        // Last, so that it stands before all of the above.
        .layer(from_fn_with_state(state.clone(), auth::ask_for_token))
        .with_state(state)
}
