//! The limit that Lectern is measured against: its public listener, from the socket to the decoded event, before a
//! store that keeps nothing.
//!
//! Arguments: the address to listen at. The secret comes by `PODIUM_WEBHOOK_SECRET`. At SIGTERM it prints how many
//! events it has accepted, and ends.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use lectern::clock::{Clock as _, SystemClock};
use lectern::config::{self, NamedSecret, OnUnverified, SourceConfig, Verification};
use lectern::handlers::async_trait;
use lectern::http;
use lectern::ingest::{Ingest, Parts, Quarantine, Sources, Subscriber, router};
use lectern::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId,
    EventRecord, InQuarantine, NewEvent, NewToken, PageRequest, QuarantineBounds, QuarantineFilter,
    QuarantineId, Quarantined, QuarantinedRequest, Queue, Replay, ReplayId, SecretUse, Subscription, Token,
    TokenDigest, TokenId,
};
use lectern::spool::Spool;
use lectern::store::{
    Acceptance, Claim, Claimed, Lease, Portion, QueueRef, Reopened, ReplayLease, Settlement, Store,
    StoreError,
};
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// As in the program.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

const DEADLINE: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("the address to listen at is missing")?;
    let secret = std::env::var("PODIUM_WEBHOOK_SECRET")?;
    let store = Arc::new(Nothing::default());
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    // Never used: this store takes everything.
    let folder = tempfile::tempdir()?;
    let ingest = Ingest::start(parts(&secret, store.clone(), folder.path()).await?, &tasks, &stop);
    let routes = http::wrap_public(router(ingest));
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn({
        let stop = stop.clone();
        async move {
            terminate.recv().await;
            stop.cancel();
        }
    });
    let limits = http::Limits::with_connections(4096);
    http::serve(http::bind(address.parse()?).await?, routes, limits, stop).await;
    writeln!(stdout(), "{}", store.accepted.load(Ordering::SeqCst))?;
    Ok(())
}

/// One source and one handler that wants everything, with the limits of Lectern's own configuration.
async fn parts(secret: &str, store: Arc<dyn Store>, folder: &Path) -> Result<Parts, Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let secret = NamedSecret { name: "current".to_owned(), value: secret.into(), not_after: None };
    let source = SourceConfig {
        name: "default".to_owned(),
        secrets: vec![secret],
        allow_unsigned: false,
        on_unverified: OnUnverified::Reject,
    };
    let subscription = Subscription {
        handler: "log".to_owned(),
        types: vec!["*".parse()?],
        locations: Vec::new(),
        ordering: lectern::model::Ordering::Conversation,
    };
    let nothing_kept = config::Quarantine { max_requests: 0, max_bytes: 1024 * 1024, max_per_minute: 1 };
    let sources = Arc::new(Sources::new(&[source], clock.now()));
    let (quarantine, _) = Quarantine::new(nothing_kept, DEADLINE, &sources, store.clone(), clock.clone());
    Ok(Parts {
        sources,
        subscribers: vec![Subscriber::new(subscription, None)],
        window: Verification { max_age: 11 * DAY, max_future: Duration::from_secs(300) },
        quarantine,
        bodies: http::Bodies::up_to(1024 * 1024),
        lanes: 2,
        store_deadline: DEADLINE,
        store,
        spool: Spool::open(folder, 1024 * 1024).await?,
        clock,
    })
}

/// Accepts everything, counts it and keeps nothing.
#[derive(Default)]
struct Nothing {
    accepted: AtomicU64,
}

#[async_trait]
impl Store for Nothing {
    async fn accept(&self, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
        self.accepted.fetch_add(batch.len() as u64, Ordering::SeqCst);
        Ok(batch.iter().map(|event| Acceptance::Accepted(event.record.id)).collect())
    }

    // Only the public listener runs: none of what follows is ever asked.

    async fn claim(&self, _: &Claim) -> Result<Claimed, StoreError> {
        nobody_asks()
    }

    async fn renew(&self, _: &[Lease], _: Timestamp) -> Result<Vec<Lease>, StoreError> {
        nobody_asks()
    }

    async fn settle(&self, _: &[Settlement]) -> Result<Vec<bool>, StoreError> {
        nobody_asks()
    }

    fn work_signal(&self) -> watch::Receiver<u64> {
        watch::Sender::default().subscribe()
    }

    async fn replay(&self, _: DeliveryId, _: Timestamp) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn resolve(&self, _: DeliveryId, _: &str, _: Timestamp) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn count_closed(&self, _: &DeliveryFilter, _: Timestamp) -> Result<Option<u64>, StoreError> {
        nobody_asks()
    }

    async fn add_replay(&self, _: &Replay) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn replays(&self, _: PageRequest<ReplayId>) -> Result<Vec<Replay>, StoreError> {
        nobody_asks()
    }

    async fn one_replay(&self, _: ReplayId) -> Result<Option<Replay>, StoreError> {
        nobody_asks()
    }

    async fn cancel_replay(&self, _: ReplayId, _: Timestamp) -> Result<Option<Replay>, StoreError> {
        nobody_asks()
    }

    async fn lease_replays(&self, _: &ReplayLease) -> Result<Vec<Replay>, StoreError> {
        nobody_asks()
    }

    async fn reopen(&self, _: &Portion) -> Result<Option<Reopened>, StoreError> {
        nobody_asks()
    }

    async fn queue(&self, _: &QueueRef) -> Result<Option<Queue>, StoreError> {
        nobody_asks()
    }

    async fn note_activity(&self, _: Timestamp, _: &[Activity], _: Timestamp) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn activity(&self, _: Timestamp) -> Result<Vec<Activity>, StoreError> {
        nobody_asks()
    }

    async fn pause(&self, _: &str, _: Timestamp) -> Result<Timestamp, StoreError> {
        nobody_asks()
    }

    async fn resume(&self, _: &str) -> Result<bool, StoreError> {
        nobody_asks()
    }

    async fn paused(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        nobody_asks()
    }

    async fn events(&self, _: &EventFilter, _: PageRequest<EventId>) -> Result<Vec<EventRecord>, StoreError> {
        nobody_asks()
    }

    async fn event(&self, _: EventId) -> Result<Option<EventRecord>, StoreError> {
        nobody_asks()
    }

    async fn contents(&self, _: &[EventId]) -> Result<Vec<(EventId, Content)>, StoreError> {
        nobody_asks()
    }

    async fn deliveries(
        &self,
        _: &DeliveryFilter,
        _: PageRequest<DeliveryId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn delivery(&self, _: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        nobody_asks()
    }

    async fn attempts(&self, _: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        nobody_asks()
    }

    async fn oldest_open(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        nobody_asks()
    }

    async fn in_quarantine(&self) -> Result<Vec<InQuarantine>, StoreError> {
        nobody_asks()
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError> {
        nobody_asks()
    }

    async fn quarantine(
        &self,
        _: &[QuarantinedRequest],
        _: QuarantineBounds,
    ) -> Result<Vec<bool>, StoreError> {
        nobody_asks()
    }

    async fn quarantined(
        &self,
        _: &QuarantineFilter,
        _: PageRequest<QuarantineId>,
    ) -> Result<Vec<Quarantined>, StoreError> {
        nobody_asks()
    }

    async fn quarantined_request(&self, _: QuarantineId) -> Result<Option<QuarantinedRequest>, StoreError> {
        nobody_asks()
    }

    async fn oldest_quarantined(
        &self,
        _: &QuarantineFilter,
        _: Option<QuarantineId>,
        _: u32,
    ) -> Result<Vec<QuarantinedRequest>, StoreError> {
        nobody_asks()
    }

    async fn forget_quarantined(&self, _: &[QuarantineId]) -> Result<u64, StoreError> {
        nobody_asks()
    }

    async fn empty_quarantine(&self, _: &QuarantineFilter, _: u32) -> Result<u64, StoreError> {
        nobody_asks()
    }

    async fn note_secret_uses(&self, _: &[SecretUse]) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn secret_uses(&self) -> Result<Vec<SecretUse>, StoreError> {
        nobody_asks()
    }

    async fn add_token(&self, _: &NewToken) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn token(&self, _: &TokenDigest) -> Result<Option<Token>, StoreError> {
        nobody_asks()
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        nobody_asks()
    }

    async fn revoke_token(&self, _: &str) -> Result<bool, StoreError> {
        nobody_asks()
    }

    async fn note_token_uses(&self, _: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        nobody_asks()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

fn nobody_asks<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("this store keeps nothing".into()))
}
