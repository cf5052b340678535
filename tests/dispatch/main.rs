//! Dispatch beside a store that does not do what it should.

#![cfg(test)]

mod breaking;
mod faulty;
mod misbehaving;
#[path = "../support/patience.rs"]
mod patience;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use lectern::clock::{Clock, SystemClock};
use lectern::config::{Dispatch, OnDead, Retry};
use lectern::dispatch::{self, Ready};
use lectern::handlers::{Failure, Handler, Success, Work, async_trait};
use lectern::model::{
    Content, DedupKey, DeliveryFilter, DeliveryState, EventId, EventRecord, NewEvent, Ordering as Order,
    PageRequest, Subscription,
};
use lectern::store::Store;
use lectern::store::sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use faulty::{Call, Faulty};
use patience::{eventually, within};

/// A handler that counts the calls under way, and how many there ever were at once.
#[derive(Default)]
struct Busy {
    begun: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
    lasting: Duration,
}

struct Shared(Arc<Busy>);

#[async_trait]
impl Handler for Shared {
    async fn handle(&self, _: &Work) -> Result<Success, Failure> {
        struct Leaving<'a>(&'a AtomicUsize);
        impl Drop for Leaving<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let now = self.0.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(now, Ordering::SeqCst);
        // However the call ends.
        let _leaving = Leaving(&self.0.under_way);
        tokio::time::sleep(self.0.lasting).await;
        Ok(Success::done())
    }
}

/// A process that dispatches to the handler.
struct Process {
    store: Arc<Faulty>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Process {
    fn start(store: Arc<dyn Store>, busy: &Arc<Busy>) -> Self {
        Self::with(store, Arc::new(Shared(Arc::clone(busy))))
    }

    fn with(store: Arc<dyn Store>, handler: Arc<dyn Handler>) -> Self {
        Self::with_all(store, vec![("busy", handler)])
    }

    fn with_all(store: Arc<dyn Store>, handlers: Vec<(&str, Arc<dyn Handler>)>) -> Self {
        let store = Arc::new(Faulty::around(store));
        let ready = |(name, handler): (&str, _)| Ready {
            name: name.to_owned(),
            handler,
            concurrency: 4,
            timeout: Duration::from_secs(60),
            retry: Retry {
                initial: Duration::from_millis(10),
                max_interval: Duration::from_millis(10),
                max_attempts: 5,
                max_age: Duration::from_secs(60),
            },
            on_dead: OnDead::Continue,
        };
        let settings = Dispatch { lease: Duration::from_secs(1), poll_interval: Duration::from_millis(50) };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let port: Arc<dyn Store> = Arc::clone(&store) as _;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (dead, _) = tokio::sync::mpsc::channel(1);
        let handlers = handlers.into_iter().map(ready).collect();
        dispatch::start(handlers, settings, &port, &clock, &dead, &stop, &tasks);
        tasks.close();
        Self { store, stop, tasks }
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(20), self.tasks.wait()).await.expect("it ends");
    }
}

async fn store() -> (TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
    (folder, Arc::new(store))
}

async fn accept(store: &dyn Store, uid: &str) {
    accept_for(store, uid, "one-conversation", &["busy"]).await;
}

async fn accept_for(store: &dyn Store, uid: &str, conversation: &str, handlers: &[&str]) {
    let now = SystemClock.now();
    let record = EventRecord {
        id: EventId::at(now),
        source: "default".to_owned(),
        event_type: "message.received".to_owned(),
        event_uid: Some(uid.to_owned()),
        subject_uid: None,
        conversation_uid: None,
        contact_uid: None,
        location_uid: None,
        organization_uid: None,
        occurred_at: None,
        received_at: now,
        verified_by: None,
        decode_error: None,
        origin: lectern::model::Origin::Webhook,
    };
    let everything = |handler: &&str| Subscription {
        handler: (*handler).to_owned(),
        types: vec!["*".parse().unwrap()],
        locations: Vec::new(),
        ordering: Order::Conversation,
    };
    let owed = |handler| everything(handler).delivery(&record, Some(conversation), now);
    let deliveries = handlers.iter().filter_map(owed).collect();
    let event = NewEvent {
        dedup_key: DedupKey::of_uid("default", uid),
        content: Content { headers: Vec::new(), body: "{}".into() },
        record,
        deliveries,
    };
    store.accept(&[event]).await.unwrap();
}

async fn open(store: &dyn Store) -> usize {
    let pending = DeliveryFilter { state: Some(DeliveryState::Pending), ..DeliveryFilter::default() };
    store.deliveries(&pending, PageRequest { limit: 100, below: None }).await.unwrap().len()
}

#[tokio::test]
async fn work_whose_lease_cannot_be_kept_is_cut_off_before_another_takes_it_up() {
    let (_folder, store) = store().await;
    let busy = Arc::new(Busy { lasting: Duration::from_secs(3), ..Busy::default() });
    let cut_off = Process::start(Arc::clone(&store), &busy);
    accept(&*store, "one").await;
    eventually("it is called", async || (busy.begun.load(Ordering::SeqCst) == 1).then_some(())).await;
    // The first process loses its database in the middle of the work; the second has it.
    cut_off.store.hang(Call::All);
    let other = Process::start(Arc::clone(&store), &busy);
    eventually("the other takes over", async || (busy.begun.load(Ordering::SeqCst) == 2).then_some(())).await;
    eventually("it is done", async || (open(&*store).await == 0).then_some(())).await;
    assert_eq!(busy.most.load(Ordering::SeqCst), 1, "two worked on one conversation at once");
    other.stop().await;
    cut_off.store.recover();
    cut_off.stop().await;
    assert_eq!(busy.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn long_work_keeps_its_lease() {
    let (_folder, store) = store().await;
    let busy = Arc::new(Busy { lasting: Duration::from_secs(3), ..Busy::default() });
    let (one, two) = (Process::start(Arc::clone(&store), &busy), Process::start(Arc::clone(&store), &busy));
    accept(&*store, "one").await;
    eventually("it is done", async || (open(&*store).await == 0).then_some(())).await;
    assert_eq!(busy.begun.load(Ordering::SeqCst), 1);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_claim_that_is_never_answered_is_given_up_and_made_again() {
    let (_folder, store) = store().await;
    let process = Process::start(Arc::clone(&store), &Arc::default());
    let claims = process.store.hang(Call::Claim);
    within(Duration::from_secs(90), "it claims again", async || {
        (claims.load(Ordering::SeqCst) > 1).then_some(())
    })
    .await;
    process.store.recover();
    process.stop().await;
}

#[tokio::test]
async fn a_stop_during_a_claim_ends_the_worker() {
    let (_folder, store) = store().await;
    let process = Process::start(Arc::clone(&store), &Arc::default());
    let claims = process.store.hang(Call::Claim);
    eventually("it claims", async || (claims.load(Ordering::SeqCst) > 0).then_some(())).await;
    process.stop.cancel();
    process.store.recover();
    process.stop().await;
}

#[tokio::test]
async fn a_stop_during_a_call_cuts_it_off_after_a_grace_and_keeps_the_attempt() {
    let (_folder, store) = store().await;
    let busy = Arc::new(Busy { lasting: Duration::from_secs(600), ..Busy::default() });
    let process = Process::start(Arc::clone(&store), &busy);
    accept(&*store, "one").await;
    eventually("it is called", async || (busy.begun.load(Ordering::SeqCst) == 1).then_some(())).await;
    process.stop().await;
    let delivery = store
        .deliveries(&DeliveryFilter::default(), PageRequest { limit: 1, below: None })
        .await
        .unwrap()
        .remove(0);
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Pending, 1));
    let attempts = store.attempts(delivery.id).await.unwrap();
    assert_eq!(attempts[0].error.as_deref(), Some("cut off in the middle"));
}

#[tokio::test]
async fn a_settlement_that_fails_for_good_does_not_hold_up_the_handler() {
    let (_folder, store) = store().await;
    let busy = Arc::<Busy>::default();
    let process = Process::start(Arc::clone(&store), &busy);
    let refused = process.store.fail_once(Call::Settle);
    accept(&*store, "one").await;
    eventually("it is refused", async || (refused.load(Ordering::SeqCst) == 1).then_some(())).await;
    accept(&*store, "two").await;
    // The refused one is done again when its lease has ended.
    eventually("all is done", async || (open(&*store).await == 0).then_some(())).await;
    process.stop().await;
}

#[tokio::test]
async fn a_mistake_in_a_worker_ends_no_handler() {
    for call in [Call::Claim, Call::Renew, Call::Settle] {
        let (_folder, store) = store().await;
        // Long enough for signs of life.
        let busy = Arc::new(Busy { lasting: Duration::from_millis(500), ..Busy::default() });
        let process = Process::start(Arc::clone(&store), &busy);
        let mistakes = process.store.panic_once(call);
        accept(&*store, "one").await;
        eventually("it is made", async || (mistakes.load(Ordering::SeqCst) == 1).then_some(())).await;
        accept(&*store, "two").await;
        eventually("all is done", async || (open(&*store).await == 0).then_some(())).await;
        process.stop().await;
    }
}

#[tokio::test]
async fn what_was_settled_counts_though_the_answer_was_lost() {
    let (_folder, store) = store().await;
    let busy = Arc::<Busy>::default();
    let process = Process::start(Arc::clone(&store), &busy);
    let settling = process.store.lose_answer_once(Call::Settle);
    accept(&*store, "one").await;
    eventually("it is settled", async || (open(&*store).await == 0).then_some(())).await;
    // Nothing else tells of it to those who watch: not again, when the answer is that nobody holds the lease.
    let since = Timestamp::UNIX_EPOCH;
    let told = eventually("it is told", async || store.activity(since).await.unwrap().pop()).await;
    assert_eq!((told.done, told.failed), (1, 0));
    assert_eq!((settling.load(Ordering::SeqCst), busy.begun.load(Ordering::SeqCst)), (1, 1));
    process.stop().await;
}

#[tokio::test]
async fn what_is_done_at_a_stop_is_settled_if_the_store_comes_back_in_time() {
    let (_folder, store) = store().await;
    let busy = Arc::<Busy>::default();
    let process = Process::start(Arc::clone(&store), &busy);
    let settling = process.store.refuse(Call::Settle);
    accept(&*store, "one").await;
    eventually("it can't be settled", async || (settling.load(Ordering::SeqCst) > 0).then_some(())).await;
    process.stop.cancel();
    let before = settling.load(Ordering::SeqCst);
    eventually("it is tried on", async || (settling.load(Ordering::SeqCst) > before).then_some(())).await;
    process.store.recover();
    process.stop().await;
    assert_eq!(open(&*store).await, 0);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever_for_a_store_that_stays_away() {
    let (_folder, store) = store().await;
    let busy = Arc::<Busy>::default();
    let process = Process::start(Arc::clone(&store), &busy);
    let settling = process.store.refuse(Call::Settle);
    accept(&*store, "one").await;
    eventually("it can't be settled", async || (settling.load(Ordering::SeqCst) > 0).then_some(())).await;
    process.stop().await;
    assert_eq!(open(&*store).await, 1);
}

/// Panics before it returns a future.
struct Eager;

impl Handler for Eager {
    fn handle<'a, 'b, 'c>(
        &'a self,
        _: &'b Work,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Success, Failure>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        panic!("at once")
    }
}

#[tokio::test]
async fn a_handler_that_panics_at_once_has_failed() {
    let (_folder, store) = store().await;
    accept(&*store, "one").await;
    let process = Process::with(Arc::clone(&store), Arc::new(Eager));
    let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    let page = PageRequest { limit: 1, below: None };
    let given_up =
        eventually("it is given up", async || store.deliveries(&dead, page).await.unwrap().pop()).await;
    assert_eq!(given_up.attempts, 5);
    process.stop().await;
}

#[tokio::test]
async fn work_is_taken_up_and_settled_once_the_store_is_back() {
    let (_folder, store) = store().await;
    let busy = Arc::<Busy>::default();
    let process = Process::start(Arc::clone(&store), &busy);
    let settling = process.store.refuse(Call::Settle);
    accept(&*store, "one").await;
    eventually("it can't be settled", async || (settling.load(Ordering::SeqCst) > 2).then_some(())).await;
    assert_eq!(open(&*store).await, 1);
    process.store.recover();
    eventually("it is settled", async || (open(&*store).await == 0).then_some(())).await;
    assert_eq!(busy.begun.load(Ordering::SeqCst), 1, "what was done is not done again");
    process.stop().await;
}
