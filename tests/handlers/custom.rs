//! Kinds of one's own, called by the dispatcher.

use std::sync::Arc;
use std::time::Duration;

use lectern::clock::{Clock, SystemClock};
use lectern::config::{Dispatch, OnDead, Retry};
use lectern::dispatch::{self, Ready};
use lectern::handlers::{Failure, Handler, Success, Work, async_trait};
use lectern::model::{Attempt, AttemptOutcome, DedupKey, DeliveryState, NewDelivery, NewEvent};
use lectern::store::Store;
use lectern::store::sqlite::SqliteStore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{MARGIN, work};

/// The handlers' time.
const TIME: Duration = Duration::from_millis(100);

/// What is kept of the only attempt that a handler is given.
async fn attempt_by(handler: impl Handler) -> Attempt {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let Work { event, content, delivery, .. } = work("{}");
    let (id, name) = (delivery.id, delivery.handler);
    let (ordering_key, opened_at) = (delivery.ordering_key, event.received_at);
    let owed = NewDelivery { id, handler: name.clone(), ordering_key, opened_at };
    let dedup_key = DedupKey::of_body("default", &content.body);
    store.accept(&[NewEvent { record: event, dedup_key, content, deliveries: vec![owed] }]).await.unwrap();

    let retry = Retry { initial: TIME, max_interval: TIME, max_attempts: 1, max_age: Duration::MAX };
    let ready = Ready {
        name,
        handler: Arc::new(handler),
        concurrency: 1,
        timeout: TIME,
        retry,
        on_dead: OnDead::Continue,
    };
    let settings = Dispatch { lease: Duration::from_secs(30), poll_interval: Duration::from_secs(1) };
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let (dead, _) = tokio::sync::mpsc::channel(1);
    dispatch::start(vec![ready], settings, &store, &clock, &dead, &stop, &tasks);
    let settled = async {
        while store.delivery(id).await.unwrap().unwrap().state == DeliveryState::Pending {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(15), settled).await.expect("the attempt ends");
    stop.cancel();
    tasks.close();
    tasks.wait().await;

    store.attempts(id).await.unwrap().remove(0)
}

/// Knows of no time.
struct Endless;

#[async_trait]
impl Handler for Endless {
    async fn handle(&self, _: &Work) -> Result<Success, Failure> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_call_that_ignores_its_timeout_is_dropped_a_second_later() {
    let attempt = attempt_by(Endless).await;
    assert_eq!(attempt.outcome, AttemptOutcome::TimedOut);
    assert_eq!(attempt.error.as_deref(), Some("no end within 100ms"));
    assert!(attempt.duration >= TIME + MARGIN, "{attempt:?}");
}

/// Needs a moment after its time to say what it has.
struct Punctual;

#[async_trait]
impl Handler for Punctual {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        sleep(work.timeout + MARGIN / 10).await;
        Err(Failure { output: Some("half of it".to_owned()), ..Failure::timed_out("only half is done") })
    }
}

#[tokio::test]
async fn what_a_handler_says_at_its_timeout_is_kept() {
    let attempt = attempt_by(Punctual).await;
    assert_eq!(attempt.outcome, AttemptOutcome::TimedOut);
    assert_eq!(attempt.error.as_deref(), Some("only half is done"));
    assert_eq!(attempt.output.as_deref(), Some("half of it"));
}
