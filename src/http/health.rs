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
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use super::Problem;
use crate::clock::Clock;
use crate::model::Finding;
use crate::spool::{Depth, Spool};
use crate::store::Store;
use crate::telemetry::Chain;

/// How long the store may take to say that it is there.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// How long its word is good for. Anybody may ask, as often as they like, and the database must not feel it.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What tells whether events can be accepted. Its copies ask the store one at a time, and share what it says.
#[derive(Clone)]
pub struct Health {
    store: Arc<dyn Store>,
    spool: Spool,
    clock: Arc<dyn Clock>,
    /// What the watchdog has found.
    findings: watch::Receiver<Arc<[Finding]>>,
    /// When the store was asked last, and whether it answered.
    last: Arc<Mutex<Option<(Instant, bool)>>>,
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
    /// What a person may have to see to. Events are accepted all the same.
    findings: Arc<[Finding]>,
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
    /// Asks `store`, where events become durable, and `spool`, where they become durable while it is away. `findings` are what the
    /// watchdog has to say.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        spool: Spool,
        clock: Arc<dyn Clock>,
        findings: watch::Receiver<Arc<[Finding]>>,
    ) -> Self {
        Self { store, spool, clock, findings, last: Arc::default() }
    }

    async fn examine(&self) -> Readiness {
        let depth = self.spool.depth();
        let status = match self.store_answers().await {
            // Whatever it says of itself, events have just been refused.
            _ if self.spool.is_refusing() => Status::Unavailable,
            true => Status::Ready,
            false if self.spool.is_full() => Status::Unavailable,
            false => Status::Spooling,
        };
        Readiness { status, spool: self.waiting(depth), findings: Arc::clone(&self.findings.borrow()) }
    }

    fn waiting(&self, Depth { events, bytes, oldest, set_aside }: Depth) -> Waiting {
        let age = oldest.map(|oldest| self.clock.now().duration_since(oldest).as_secs().max(0));
        Waiting { events, bytes, oldest_at: oldest, oldest_age_seconds: age, set_aside_files: set_aside }
    }

    async fn store_answers(&self) -> bool {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((at, answers)) = *last
            && at.elapsed() < GOOD_FOR
        {
            return answers;
        }
        let store = Arc::clone(&self.store);
        // In a task of its own: whoever asks may hang up, and those who wait behind would begin anew.
        let asking = tokio::spawn(async move {
            let answers = answers(&*store).await;
            *last = Some((Instant::now(), answers));
            answers
        });
        asking.await.unwrap_or(false)
    }
}

async fn answers(store: &dyn Store) -> bool {
    match timeout(CHECK_WITHIN, store.check()).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::debug!(error = %Chain(&error), "the store is not ready"),
        Err(_elapsed) => tracing::debug!("the store does not answer"),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn what_the_store_said_is_good_for_a_second_and_for_whoever_asks() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap());
        let spool = Spool::open(&folder.path().join("spool"), 1024 * 1024).await.unwrap();
        let (_, findings) = watch::channel(Arc::default());
        let health = Health::new(Arc::clone(&store) as _, spool, Arc::new(SystemClock), findings);
        let asked = Instant::now();
        assert!(health.store_answers().await);
        store.close().await;
        // A machine that was busy for so long asks again, rightly.
        assert!(health.clone().store_answers().await || asked.elapsed() >= GOOD_FOR);
        while health.store_answers().await {
            assert!(asked.elapsed() < 30 * GOOD_FOR, "it is never asked again");
            tokio::time::sleep(GOOD_FOR / 10).await;
        }
        assert!(asked.elapsed() >= GOOD_FOR);
    }
}
