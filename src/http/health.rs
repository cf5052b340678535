//! `GET /healthz` and `GET /readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::Problem;
use crate::clock::Clock;
use crate::spool::{Depth, Spool};
use crate::store::Store;
use crate::telemetry::Chain;

/// How long the store may take to say that it is there.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// What tells whether events can be accepted.
#[derive(Clone)]
pub struct Health {
    /// Where events become durable.
    pub store: Arc<dyn Store>,
    /// Where they become durable while the store is away.
    pub spool: Spool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// `/healthz` answers 200 while the process lives, `/readyz` while it can accept events, in the store or in the spool.
///
/// To the outside that is all. `inside` also says which of the two, and what waits in the spool.
pub fn router(health: Health, inside: bool) -> Router {
    let ready = if inside { get(ready_in_detail) } else { get(ready) };
    Router::new().route("/healthz", get(alive)).route("/readyz", ready).with_state(health)
}

async fn alive() -> impl IntoResponse {
    Json(json!({ "data": { "status": "alive" } }))
}

async fn ready(State(health): State<Health>) -> Response {
    match health.examine().await.status {
        Status::Unavailable => unavailable().into_response(),
        Status::Ready | Status::Spooling => Json(json!({ "data": { "status": "ready" } })).into_response(),
    }
}

async fn ready_in_detail(State(health): State<Health>) -> Response {
    let readiness = health.examine().await;
    let status = match readiness.status {
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Status::Ready | Status::Spooling => StatusCode::OK,
    };
    (status, Json(json!({ "data": readiness }))).into_response()
}

fn unavailable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "the store is not available")
}

#[derive(Serialize)]
struct Readiness {
    status: Status,
    spool: Waiting,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Events go to the store.
    Ready,
    /// The store is away: events go to the spool.
    Spooling,
    /// They can go nowhere.
    Unavailable,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    events: u64,
    bytes: u64,
    oldest_at: Option<Timestamp>,
    oldest_age_seconds: Option<i64>,
    set_aside_files: u64,
}

impl Health {
    async fn examine(&self) -> Readiness {
        let depth = self.spool.depth();
        let status = match self.store_answers().await {
            // Whatever it says of itself, events have just been refused.
            _ if self.spool.is_refusing() => Status::Unavailable,
            true => Status::Ready,
            false if self.spool.is_full() => Status::Unavailable,
            false => Status::Spooling,
        };
        Readiness { status, spool: self.waiting(depth) }
    }

    fn waiting(&self, Depth { events, bytes, oldest, set_aside }: Depth) -> Waiting {
        let age = oldest.map(|oldest| self.clock.now().duration_since(oldest).as_secs().max(0));
        Waiting { events, bytes, oldest_at: oldest, oldest_age_seconds: age, set_aside_files: set_aside }
    }

    async fn store_answers(&self) -> bool {
        match timeout(CHECK_WITHIN, self.store.check()).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => tracing::debug!(error = %Chain(&error), "the store is not ready"),
            Err(_elapsed) => tracing::debug!("the store does not answer"),
        }
        false
    }
}
