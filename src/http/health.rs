//! `GET /healthz` and `GET /readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::time::timeout;

use super::Problem;
use crate::store::Store;
use crate::telemetry::Chain;

/// How long the store may take to say that it is there.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// `/healthz` answers 200 while the process lives, `/readyz` while it can accept events.
pub fn router(store: Arc<dyn Store>) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(store)
}

async fn alive() -> impl IntoResponse {
    Json(json!({ "data": { "status": "alive" } }))
}

async fn ready(State(store): State<Arc<dyn Store>>) -> Response {
    match timeout(CHECK_WITHIN, store.check()).await {
        Ok(Ok(())) => return Json(json!({ "data": { "status": "ready" } })).into_response(),
        Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "not ready"),
        Err(_elapsed) => tracing::warn!("not ready: the store does not answer"),
    }
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "the store is not available")
        .into_response()
}
