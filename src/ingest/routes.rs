//! The webhook endpoints, and the journey through the stages.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::post;

use super::accept::{Receipt, accept};
use super::decode::decode;
use super::receive::receive;
use super::rejection::Rejection;
use super::source::Sources;
use super::verify::verify;
use crate::clock::Clock;
use crate::config::Verification;
use crate::http::drain;
use crate::model::Subscription;
use crate::store::Store;

/// The source of the endpoint that names none.
const DEFAULT_SOURCE: &str = "default";

/// Everything that a request needs on its way.
pub struct Ingest {
    /// The webhooks that may call.
    pub sources: Arc<Sources>,
    /// Who wants to hear of what.
    pub subscriptions: Vec<Subscription>,
    /// Which signatures are still good.
    pub window: Verification,
    /// The largest body that is read, in bytes.
    pub max_body: usize,
    /// How long a request may wait for the store.
    pub store_deadline: Duration,
    /// Where events become durable.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// `POST /webhooks/podium` and `POST /webhooks/podium/{source}`.
pub fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/webhooks/podium", post(from_default))
        .route("/webhooks/podium/{source}", post(from_named))
        // As a person may well type them at Podium, who would hold back every event for the slash.
        .route("/webhooks/podium/", post(from_default))
        .route("/webhooks/podium/{source}/", post(from_named))
        .with_state(Arc::new(ingest))
}

async fn from_default(
    State(ingest): State<Arc<Ingest>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Receipt, Rejection> {
    ingest.take(DEFAULT_SOURCE, headers, body).await
}

async fn from_named(
    State(ingest): State<Arc<Ingest>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Receipt, Rejection> {
    // What is no UTF-8 is no source's name, and neither is nothing.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    ingest.take(&name, headers, body).await
}

impl Ingest {
    async fn take(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Receipt, Rejection> {
        let outcome = self.journey(source, headers, body).await;
        if let Err(rejection) = &outcome {
            // The name is only shown when it is one of ours: anybody can write anything into a path.
            let source = self.sources.get(source).map(|source| source.name.clone());
            tracing::warn!(source, code = rejection.code(), "a request was not accepted");
        }
        outcome
    }

    async fn journey(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Receipt, Rejection> {
        let Some(source) = self.sources.get(source) else {
            drain(body).await;
            return Err(Rejection::UnknownSource);
        };
        let received = receive(source, headers, body, self.max_body, &*self.clock).await?;
        let verified = verify(received, self.window)?;
        let event = decode(verified, &self.subscriptions);
        accept(event, &*self.store, self.store_deadline).await
    }
}
