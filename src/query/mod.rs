//! The internal REST API: what people and programs ask about what arrived, the replay of a delivery, and the quarantine.
//! It follows the conventions of Podium's own API, and answers nobody without a token.

mod answer;
mod auth;
mod body;
mod cursor;
mod deliveries;
mod events;
mod page;
mod params;
mod path;
mod quarantine;
mod refusal;
mod sources;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::model::{Content, EventId, Source, TokenDigest};
use crate::store::{Store, StoreError};
pub use quarantine::Release;
use refusal::Refusal;

/// What the API answers from.
#[derive(Clone)]
pub struct State {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    api_token: TokenDigest,
    sources: watch::Receiver<Arc<[Source]>>,
    release: Arc<dyn Release>,
}

impl State {
    /// Answers from `store`, with the time of `clock`, for whoever has the token of digest `api_token` or one that the
    /// store keeps. `sources` are those that may call now. What is to leave the quarantine is for `release`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        api_token: TokenDigest,
        sources: watch::Receiver<Arc<[Source]>>,
        release: Arc<dyn Release>,
    ) -> Self {
        Self { store, clock, api_token, sources, release }
    }

    async fn content(&self, id: EventId) -> Result<Option<Content>, StoreError> {
        Ok(self.store.contents(&[id]).await?.into_iter().next().map(|(_, content)| content))
    }
}

/// The API under `/api/v1`. Nothing under `/api/` is answered without a token, not even that it is not there.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/events/{id}", get(events::show))
        .route("/api/v1/events/{id}/body", get(body::show))
        .route("/api/v1/events/{id}/deliveries", get(deliveries::of_event))
        .route("/api/v1/deliveries", get(deliveries::list))
        .route("/api/v1/deliveries/{id}", get(deliveries::show))
        .route("/api/v1/deliveries/{id}/replay", post(deliveries::replay))
        .route("/api/v1/sources", get(sources::list))
        .route("/api/v1/quarantine", get(quarantine::list).delete(quarantine::delete_all))
        .route("/api/v1/quarantine/release", post(quarantine::release))
        .route("/api/v1/quarantine/{id}", get(quarantine::show).delete(quarantine::delete))
        .route("/api/v1/quarantine/{id}/body", get(quarantine::show_body))
        // A route and not a fallback: a fallback would be replaced by that of the listener, which asks for no token.
        .route("/api/{*rest}", any(async || Refusal::RouteNotFound))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        // Last, so that it stands before all of the above.
        .layer(from_fn_with_state(state.clone(), auth::ask_for_token))
        .with_state(state)
}
