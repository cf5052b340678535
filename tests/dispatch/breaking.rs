//! A handler that fails throughout is probed, and goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lectern::handlers::{Failure, Handler, Success, Work, async_trait};
use lectern::model::{DeliveryFilter, DeliveryState, PageRequest};
use lectern::store::Store;

use crate::patience::eventually;
use crate::{Process, accept_for, open, store};

/// More than open the breaker, each with a conversation of its own.
const EVENTS: usize = 40;

/// So many failures open it.
const FAILURES: usize = 20;

/// Fails at everything but what is called good, until it is well.
#[derive(Default)]
struct Moody {
    calls: AtomicUsize,
    is_well: AtomicBool,
}

#[async_trait]
impl Handler for Moody {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let is_good = work.event.event_uid.as_deref() == Some("good");
        if is_good || self.is_well.load(Ordering::SeqCst) {
            return Ok(Success::done());
        }
        Err(Failure::retry("not today"))
    }
}

/// A process whose handler has failed throughout.
async fn failing(store: &Arc<dyn Store>) -> (Arc<Moody>, Process) {
    for number in 0..EVENTS {
        accept_for(&**store, &number.to_string(), &format!("conversation-{number}"), &["busy"]).await;
    }
    let moody = Arc::<Moody>::default();
    let process = Process::with(Arc::clone(store), Arc::clone(&moody) as _);
    eventually("it has failed", async || (moody.calls.load(Ordering::SeqCst) >= FAILURES).then_some(()))
        .await;
    (moody, process)
}

#[tokio::test]
async fn a_handler_that_fails_throughout_is_left_alone_and_goes_on_by_itself() {
    let (_folder, store) = store().await;
    let (moody, process) = failing(&store).await;
    // Each would be tried again after ten milliseconds.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let calls = moody.calls.load(Ordering::SeqCst);
    // Those that were under way when it opened, and one for what was announced.
    assert!(calls <= FAILURES + 5, "{calls} calls");
    moody.is_well.store(true, Ordering::SeqCst);
    eventually("all is done", async || (open(&*store).await == 0).then_some(())).await;
    process.stop().await;
}

#[tokio::test]
async fn what_is_new_is_tried_while_all_that_failed_waits() {
    let (_folder, store) = store().await;
    let (_moody, process) = failing(&store).await;
    accept_for(&*store, "good", "conversation-good", &["busy"]).await;
    let done = DeliveryFilter { state: Some(DeliveryState::Done), ..DeliveryFilter::default() };
    eventually("the good one is done", async || {
        let done = store.deliveries(&done, PageRequest { limit: 10, below: None }).await.unwrap();
        (done.len() == 1).then_some(())
    })
    .await;
    assert!(open(&*store).await > EVENTS / 2, "the others wait");
    process.stop().await;
}
