//! The words of leasing and settling.
//!
//! What is leased is a queue: the open deliveries of one handler with one ordering key. It exists while it has open
//! deliveries. A lease is a token and a moment at which it ends: a queue that is not settled by then is due again by itself,
//! and a worker that comes late finds another token.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{AttemptOutcome, Content, Delivery, DeliveryId, DeliveryState, EventRecord, new_uuid};

/// Names a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueRef {
    /// The handler's name.
    pub handler: String,
    /// What its deliveries are ordered by.
    pub ordering_key: String,
}

/// Fences a lease: whoever holds another token comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken(pub Uuid);

impl LeaseToken {
    /// A new token, unlike any other.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(new_uuid(now))
    }
}

/// The right to work on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The queue.
    pub queue: QueueRef,
    /// What proves the right.
    pub token: LeaseToken,
}

/// A request for work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose work.
    pub handler: String,
    /// How many queues at most.
    pub queues: u32,
    /// How many deliveries of each queue at most. Where bodies are large there are fewer, and fewer queues: a few MiB of bodies are
    /// read at once, but for a single one that is larger.
    pub deliveries_each: u32,
    /// What the leases will be known by.
    pub token: LeaseToken,
    /// Queues due at this moment or before are meant.
    pub now: Timestamp,
    /// And those due at this moment or later; none means all. What comes before is known to hold little or nothing, but it may
    /// take time to look: a database that must keep what was deleted, for the sake of an old transaction, passes by all
    /// of it.
    pub due_from: Option<Timestamp>,
    /// Whether only queues are meant that do not wait to be tried again, and of these those that became due last come first,
    /// not those that have been due for longest.
    pub news_only: bool,
    /// When the leases end unless they are renewed.
    pub until: Timestamp,
}

/// What a claim brought.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The leased queues, each with work to do.
    pub queues: Vec<LeasedQueue>,
    /// When the handler's next queue is due, of those that nobody has leased; may lie in the past when there is
    /// more work than was asked for. A lease that ends unsettled is not announced: claim now and then all the same.
    pub next_due: Option<Timestamp>,
}

/// A leased queue with the first of its open deliveries, in order.
#[derive(Clone, Debug)]
pub struct LeasedQueue {
    /// The right to work on it.
    pub lease: Lease,
    /// Since when it was due.
    pub due_at: Timestamp,
    /// How many leases of it ended without a settlement, one after another, until now: whoever held them died, or lost
    /// the store.
    pub lost: u32,
    /// At least one.
    pub due: Vec<Due>,
}

impl LeasedQueue {
    /// How much of bodies it has in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.due.iter().map(|due| due.content.body.len()).sum()
    }
}

/// One delivery that is due, with all that a handler needs.
#[derive(Clone, Debug)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// Its event.
    pub event: EventRecord,
    /// What arrived.
    pub content: Content,
}

/// What became of a leased queue.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The lease that ends.
    pub lease: Lease,
    /// What was tried, in order, each delivery at most once; empty gives the queue back untouched.
    pub attempts: Vec<FinishedAttempt>,
    /// When what is left of the queue is due.
    pub due_at: Timestamp,
    /// The dead delivery for whose sake the queue waits, empty or not, until it is replayed or called done; none lets the
    /// queue go on.
    pub parked_by: Option<DeliveryId>,
}

impl Settlement {
    /// Gives a queue back untouched, due at `due_at`.
    #[must_use]
    pub const fn untouched(lease: Lease, due_at: Timestamp) -> Self {
        Self { lease, attempts: Vec::new(), due_at, parked_by: None }
    }
}

/// An attempt with the state that follows from it.
#[derive(Clone, Debug)]
pub struct FinishedAttempt {
    /// Which delivery was tried.
    pub delivery: DeliveryId,
    /// Where it stands now.
    pub state: DeliveryState,
    /// When the handler was called.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status that the handler saw.
    pub status: Option<i32>,
    /// The start of the answer or the end of the output. NUL is kept as U+FFFD, here and in `error`.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}
