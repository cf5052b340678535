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
mod openapi;
mod page;
mod params;
mod path;
mod podium;
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
use axum::routing::any;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::clock::Clock;
use crate::model::{Content, EventId, HandlerConfiguration, Source};
use crate::store::{MirrorStore, Store, StoreError};
use openapi::Book;
pub use podium::{Podium, Unanswered};
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
    /// What asks Podium; none without an account there.
    pub podium: Option<Arc<dyn Podium>>,
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
/// What tells of the API is told to everybody.
pub fn router(state: State) -> Router {
    let (guarded, open) = operations().routes();
    let guarded = guarded
        // A route and not a fallback: a fallback would be replaced by that of the listener, which asks for no token.
        .route("/api/{*rest}", any(async || Refusal::RouteNotFound))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed);
    // The token last, so that it stands before all the rest.
    let guarded = sent_briefly(guarded).layer(from_fn_with_state(state.clone(), auth::ask_for_token));
    guarded.merge(sent_briefly(open)).merge(podium::callback()).with_state(state)
}

/// Answers are tagged and compressed.
fn sent_briefly(routes: Router<State>) -> Router<State> {
    routes
        // Before it is compressed: a tag is of what is said, however it is sent.
        .layer(from_fn(etag::tag))
        // What streams is left as it is: it would wait for more to be compressed with.
        .layer(CompressionLayer::new())
}

/// All that can be asked.
fn operations() -> Book {
    let book = resources::entries(Book::new());
    let book = podium::entries(book);
    let book = events::entries(book);
    let book = deliveries::entries(book);
    let book = replays::entries(book);
    let book = handlers::entries(book);
    let book = sources::entries(book);
    let book = quarantine::entries(book);
    let book = stats::entries(book);
    let book = mirror::entries(book);
    let book = metrics::entries(book);
    openapi::entries(book)
}
