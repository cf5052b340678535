//! The webhook endpoints, and the journey through the stages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::accept::{Receipt, accept};
use super::decode::decode;
use super::quarantine::Quarantine;
use super::receive::receive;
use super::rejection::Rejection;
use super::source::Source;
use super::verify::{Verified, verify};
use crate::clock::Clock;
use crate::config::Verification;
use crate::http::drain;
use crate::model::Subscription;
use crate::store::Store;

/// The source of the endpoint that names none.
const DEFAULT_SOURCE: &str = "default";

/// Everything that a request needs on its way.
pub struct Ingest {
    /// The webhooks that may call, by name.
    pub sources: HashMap<String, Arc<Source>>,
    /// Who wants to hear of what.
    pub subscriptions: Vec<Subscription>,
    /// Which signatures are still good.
    pub window: Verification,
    /// Where requests go that fail verification.
    pub quarantine: Quarantine,
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
    async fn take(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Response, Rejection> {
        let outcome = self.journey(source, headers, body).await;
        if let Err(rejection) = &outcome {
            // The name is only shown when it is one of ours: anybody can write anything into a path.
            let source = self.sources.get(source).map(|source| source.name.as_str());
            tracing::warn!(source, code = rejection.code(), "a request was not accepted");
        }
        outcome
    }

    async fn journey(&self, source: &str, headers: HeaderMap, body: Body) -> Result<Response, Rejection> {
        let Some(source) = self.sources.get(source).map(Arc::clone) else {
            drain(body).await;
            return Err(Rejection::UnknownSource);
        };
        let received = receive(source, headers, body, self.max_body, &*self.clock).await?;
        // Proof that it is durable, either way: nothing else becomes a 200.
        match verify(received, self.window) {
            Ok(verified) => self.accept(verified).await.map(IntoResponse::into_response),
            Err(unverified) => self.quarantine.take_in(unverified).await.map(IntoResponse::into_response),
        }
    }

    /// The rest of the way, for whatever was verified.
    pub(super) async fn accept(&self, verified: Verified) -> Result<Receipt, Rejection> {
        let event = decode(verified, &self.subscriptions);
        accept(event, &*self.store, self.store_deadline).await
    }
}
