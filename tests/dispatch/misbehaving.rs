//! A handler that misbehaves costs only itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lectern::handlers::{Failure, Handler, Success, Work, async_trait};
use lectern::model::{DeliveryFilter, DeliveryState, PageRequest};
use lectern::store::Store;
use tokio::time::Instant;

use crate::patience::eventually;
use crate::{Busy, Process, Shared, accept, accept_for, store};

const EVENTS: usize = 100;

/// Panics at each call, in the middle of it.
#[derive(Default)]
struct Panicking {
    calls: AtomicUsize,
}

#[async_trait]
impl Handler for Panicking {
    async fn handle(&self, _: &Work) -> Result<Success, Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        panic!("each time")
    }
}

/// Never ends.
#[derive(Default)]
struct Hanging {
    calls: AtomicUsize,
}

#[async_trait]
impl Handler for Hanging {
    async fn handle(&self, _: &Work) -> Result<Success, Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

async fn in_state(store: &dyn Store, handler: &str, state: DeliveryState) -> usize {
    let filter =
        DeliveryFilter { handler: Some(handler.to_owned()), state: Some(state), ..DeliveryFilter::default() };
    store.deliveries(&filter, PageRequest { limit: 200, below: None }).await.unwrap().len()
}

/// How long the handler that does well takes for all events, beside these others.
async fn time_beside(others: Vec<(&str, Arc<dyn Handler>)>) -> Duration {
    let (_folder, store) = store().await;
    let names: Vec<&str> = others.iter().map(|(name, _)| *name).chain(["busy"]).collect();
    for number in 0..EVENTS {
        accept_for(&*store, &number.to_string(), &format!("c{}", number % 20), &names).await;
    }
    let busy = Arc::<Busy>::default();
    let mut handlers = others;
    handlers.push(("busy", Arc::new(Shared(Arc::clone(&busy)))));
    let begun = Instant::now();
    let process = Process::with_all(Arc::clone(&store), handlers);
    eventually("the one that does well is through", async || {
        (in_state(&*store, "busy", DeliveryState::Done).await == EVENTS).then_some(())
    })
    .await;
    let took = begun.elapsed();
    assert_eq!(busy.begun.load(Ordering::SeqCst), EVENTS, "each once");
    process.stop().await;
    took
}

#[tokio::test]
async fn handlers_that_hang_and_that_panic_leave_another_its_rate() {
    let alone = time_beside(Vec::new()).await;
    let (hanging, panicking) = (Arc::<Hanging>::default(), Arc::<Panicking>::default());
    let beside = time_beside(vec![
        ("hanging", Arc::clone(&hanging) as Arc<dyn Handler>),
        ("panicking", Arc::clone(&panicking) as Arc<dyn Handler>),
    ])
    .await;
    // They had their chance, and all the places that they may have: a call that hangs does so for a minute.
    assert_eq!(hanging.calls.load(Ordering::SeqCst), 4);
    assert!(panicking.calls.load(Ordering::SeqCst) > 0);
    assert!(beside < alone * 10 + Duration::from_secs(2), "{beside:?} instead of {alone:?}");
}

#[tokio::test]
async fn a_conversation_whose_handler_panics_or_hangs_costs_no_other_one_its_turn() {
    /// Panics in one conversation and hangs in another.
    struct Picky(Shared);

    #[async_trait]
    impl Handler for Picky {
        async fn handle(&self, work: &Work) -> Result<Success, Failure> {
            match work.event.event_uid.as_deref() {
                Some("panic") => panic!("at this one"),
                Some("hang") => std::future::pending().await,
                _ => self.0.handle(work).await,
            }
        }
    }

    let (_folder, store) = store().await;
    accept_for(&*store, "panic", "one", &["busy"]).await;
    accept_for(&*store, "hang", "two", &["busy"]).await;
    accept_for(&*store, "behind-hang", "two", &["busy"]).await;
    for number in 0..EVENTS {
        accept_for(&*store, &number.to_string(), &format!("c{}", number % 20), &["busy"]).await;
    }
    let busy = Arc::<Busy>::default();
    let process = Process::with(Arc::clone(&store), Arc::new(Picky(Shared(Arc::clone(&busy)))));
    eventually("all others are through, and the panic has been given up", async || {
        let done = in_state(&*store, "busy", DeliveryState::Done).await;
        let dead = in_state(&*store, "busy", DeliveryState::Dead).await;
        ((done, dead) == (EVENTS, 1)).then_some(())
    })
    .await;
    // What came later than the one that hangs waits for it, and for nothing else.
    assert_eq!(in_state(&*store, "busy", DeliveryState::Pending).await, 2);
    accept(&*store, "another").await;
    eventually("there is still room", async || (busy.begun.load(Ordering::SeqCst) > EVENTS).then_some(()))
        .await;
    process.stop().await;
}
