//! The store: what must survive, as a list of promises. Each method is atomic over all that it is given, and none
//! shows a transaction, a row or a word of SQL. Policy (identifiers, time, retry schedules, cursors) lives with the
//! callers, so that an adapter only binds, runs and maps. What belongs to the mirror is a list of its own.

mod error;
mod forgetting;
mod in_time;
mod kept;
mod large;
mod mirror;
mod moving;
mod notes;
pub mod postgres;
mod replay;
mod schema;
pub mod sqlite;
mod statements;
mod work;
mod work_signal;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

pub use error::StoreError;
pub use forgetting::{ForgettingStore, Forgotten, Reached};
pub(crate) use in_time::in_time;
pub use mirror::{MirrorLease, MirrorStore, Mirrored, Rebuilding, Unmirrored};
pub use moving::{COLLECTIONS, Cell, Collection, Field, MovingStore, NoRecord, Record};
pub use notes::{Note, NoteStore};
pub use replay::{Portion, Reopened, ReplayLease};
pub use work::{Claim, Claimed, Due, FinishedAttempt, Lease, LeaseToken, LeasedQueue, QueueRef, Settlement};

use crate::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId,
    EventRecord, InQuarantine, NewEvent, NewToken, PageRequest, QuarantineBounds, QuarantineFilter,
    QuarantineId, Quarantined, QuarantinedRequest, Queue, Replay, ReplayId, SecretUse, Token, TokenDigest,
    TokenId,
};

/// How many connections to the database there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// Those that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub resting: u32,
    /// As many as may be open.
    pub most: u32,
}

impl PoolUse {
    fn of<DB: sqlx::Database>(pools: &[&sqlx::Pool<DB>]) -> Self {
        let resting: usize = pools.iter().map(|pool| pool.num_idle()).sum();
        Self {
            open: pools.iter().map(|pool| pool.size()).sum(),
            resting: u32::try_from(resting).unwrap_or(u32::MAX),
            most: pools.iter().map(|pool| pool.options().get_max_connections()).sum(),
        }
    }
}

/// Everything that Lectern remembers. Instants and durations are kept to the microsecond.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes events durable together with the deliveries that follow from them, in the order given; answers for
    /// each in that order. An event whose key is known already, from before or from earlier in the batch, changes
    /// nothing. Of simultaneous attempts to accept one key, exactly one is [`Acceptance::Accepted`].
    ///
    /// When this returns `Ok`, the batch has reached the disk. After an error or a cancellation it may have been
    /// accepted or not, as a whole; accepting it again is harmless.
    async fn accept(&self, batch: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError>;

    /// Leases queues of one handler that are due, longest due first, and returns the first open deliveries of each
    /// in the order in which their events were accepted. A queue is leased by one at a time; it can be leased anew when
    /// the lease ends. A paused handler and a parked queue have none.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Prolongs leases until the given moment, and returns those that were still held.
    async fn renew(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError>;

    /// Writes down what became of leased queues: attempts, the states that follow, when what is left is due. Ends
    /// the leases. A settlement whose lease another has taken changes nothing; for each one, in order, the answer
    /// says whether it was written.
    async fn settle(&self, settlements: &[Settlement]) -> Result<Vec<bool>, StoreError>;

    /// Changes whenever there is something new to claim, and may change for no reason. Look at it before a
    /// claim and wait for its next change after, so that nothing falls between the two. Work that another process
    /// made may not be announced: claim now and then all the same.
    fn work_signal(&self) -> watch::Receiver<u64>;

    /// Opens a delivery again, whatever its state: it is due at `now`, with a fresh count of failures. It keeps its place,
    /// so it comes before later ones of its queue. An open one is only made due. Where somebody is at the queue, its
    /// lease stays, and the settlement says when it is due. Returns the delivery as it then stands; `None` when there
    /// is no such delivery.
    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<Option<Delivery>, StoreError>;

    /// Calls a dead delivery done, with the reason why. A queue that was parked for its sake is due at `now`. A delivery that
    /// is not dead stays as it is. Returns it as it then stands; `None` when there is no such delivery.
    async fn resolve(
        &self,
        id: DeliveryId,
        note: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError>;

    /// How many closed deliveries fit the filter and were closed at `by` or before; `None` when they can't be counted within a few
    /// seconds.
    async fn count_closed(&self, filter: &DeliveryFilter, by: Timestamp) -> Result<Option<u64>, StoreError>;

    /// Keeps a new replay, which has opened nothing yet and is nobody's.
    async fn add_replay(&self, replay: &Replay) -> Result<(), StoreError>;

    /// Replays, newest first.
    async fn replays(&self, page: PageRequest<ReplayId>) -> Result<Vec<Replay>, StoreError>;

    /// One replay.
    async fn one_replay(&self, id: ReplayId) -> Result<Option<Replay>, StoreError>;

    /// Calls a replay off; one that has ended stays as it is. What it has opened stays open. Returns it as it then stands;
    /// `None` when there is no such replay.
    async fn cancel_replay(&self, id: ReplayId, now: Timestamp) -> Result<Option<Replay>, StoreError>;

    /// Leases the replays that are running and that nobody else has, or has any more, and prolongs the leases that are the
    /// asker's already. Returns what the asker has now, oldest first.
    async fn lease_replays(&self, lease: &ReplayLease) -> Result<Vec<Replay>, StoreError>;

    /// Opens the next deliveries of a replay that the asker has leased, oldest first, and takes down how far it is: all of it
    /// or nothing, so that no delivery is opened twice for one replay, whatever happens. Each delivery is opened as
    /// [`replay`](Self::replay) does, unless it was closed after the replay was asked for. Looks at a bounded number of
    /// deliveries, so that a portion may be empty and not the last. `None` when the replay has ended, or is another's.
    async fn reopen(&self, portion: &Portion) -> Result<Option<Reopened>, StoreError>;

    /// Gives a handler nothing more from now on, in any process, until it is resumed; what is leased goes on. Returns
    /// since when it is paused: one that was paused before stays so since then.
    async fn pause(&self, handler: &str, now: Timestamp) -> Result<Timestamp, StoreError>;

    /// Ends a pause. Returns whether there was one.
    async fn resume(&self, handler: &str) -> Result<bool, StoreError>;

    /// The handlers that are paused, and since when, by name.
    async fn paused(&self) -> Result<Vec<(String, Timestamp)>, StoreError>;

    /// Events that fit the filter, newest first.
    async fn events(
        &self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Vec<EventRecord>, StoreError>;

    /// One event.
    async fn event(&self, id: EventId) -> Result<Option<EventRecord>, StoreError>;

    /// What arrived with these events; those that are not known are left out. The order is not given.
    async fn contents(&self, ids: &[EventId]) -> Result<Vec<(EventId, Content)>, StoreError>;

    /// Deliveries that fit the filter, newest first.
    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: PageRequest<DeliveryId>,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// How a queue stands; `None` when it has nothing open and waits for nobody.
    async fn queue(&self, queue: &QueueRef) -> Result<Option<Queue>, StoreError>;

    /// One delivery.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// The attempts of a delivery, the first first.
    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, StoreError>;

    /// What each handler has to do, by name; handlers that have nothing open and nothing dead are left out.
    async fn backlog(&self) -> Result<Vec<Backlog>, StoreError>;

    /// Since when the delivery is open that has been so longest, for each handler that has any, by name. Of each queue only the
    /// one whose turn it is counts, whether or not it is due; of a parked queue none. The work is that of looking at each queue.
    async fn oldest_open(&self) -> Result<Vec<(String, Timestamp)>, StoreError>;

    /// Adds to what handlers have been doing in the slot of time that begins at `slot`, and forgets slots before
    /// `forget_before`, all or nothing. Several processes may note one handler's. After an error it may have been noted or not.
    async fn note_activity(
        &self,
        slot: Timestamp,
        noted: &[Activity],
        forget_before: Timestamp,
    ) -> Result<(), StoreError>;

    /// What handlers have been doing in all slots from `since` on, by name.
    async fn activity(&self, since: Timestamp) -> Result<Vec<Activity>, StoreError>;

    /// Keeps requests that failed verification, as far as `bounds` allow, and says of each, in order, whether it is kept.
    /// The oldest that were merely rejected make room for newer ones; a held one leaves only when it is forgotten by name,
    /// by filter or by age, and of new ones the earlier come first, each source's within its share. What can't be kept makes nothing else leave. Keeping the
    /// same request again is harmless.
    ///
    /// When this returns `Ok`, what is kept has reached the disk. Where several processes keep requests at the same
    /// moment, the bounds may be overstepped by what is in their hands until one of them keeps the next.
    async fn quarantine(
        &self,
        batch: &[QuarantinedRequest],
        bounds: QuarantineBounds,
    ) -> Result<Vec<bool>, StoreError>;

    /// Requests in quarantine that fit the filter, newest first.
    async fn quarantined(
        &self,
        filter: &QuarantineFilter,
        page: PageRequest<QuarantineId>,
    ) -> Result<Vec<Quarantined>, StoreError>;

    /// One request in quarantine.
    async fn quarantined_request(&self, id: QuarantineId) -> Result<Option<QuarantinedRequest>, StoreError>;

    /// The first requests in quarantine that fit the filter, oldest first, of those after the given one.
    async fn oldest_quarantined(
        &self,
        filter: &QuarantineFilter,
        after: Option<QuarantineId>,
        at_most: u32,
    ) -> Result<Vec<QuarantinedRequest>, StoreError>;

    /// How many requests are in quarantine, for each source that has any, by name.
    async fn in_quarantine(&self) -> Result<Vec<InQuarantine>, StoreError>;

    /// Forgets these requests in quarantine, held or not. Returns how many were there.
    async fn forget_quarantined(&self, ids: &[QuarantineId]) -> Result<u64, StoreError>;

    /// Forgets at most `at_most` requests in quarantine that fit the filter, held or not, the oldest first. Returns how
    /// many were forgotten.
    async fn empty_quarantine(&self, filter: &QuarantineFilter, at_most: u32) -> Result<u64, StoreError>;

    /// Keeps a new token. [`StoreError::Conflict`] when the name is taken.
    async fn add_token(&self, token: &NewToken) -> Result<(), StoreError>;

    /// The token that is known by this digest.
    async fn token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError>;

    /// All tokens, by name.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Forgets the token of this name: from now on no process finds it. Returns whether there was one; the name is free again.
    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError>;

    /// Takes down when tokens were last used, all or nothing: an earlier moment never takes the place of a later one.
    /// Several processes may note the use of one token. One that is revoked is passed over.
    async fn note_token_uses(&self, uses: &[(TokenId, Timestamp)]) -> Result<(), StoreError>;

    /// Adds to what is known of the use of secrets, all or nothing: an earlier moment never takes the place of a later one
    /// (nor, for `known_since`, a later one that of an earlier one), events are added up. Several processes may note the
    /// use of one secret. After an error it may have been noted or not.
    async fn note_secret_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError>;

    /// All that is known of the use of secrets, of those too that are not configured any more. The order is not given.
    async fn secret_uses(&self) -> Result<Vec<SecretUse>, StoreError>;

    /// How many connections to the database there are.
    fn connections(&self) -> PoolUse {
        PoolUse::default()
    }

    /// Whether the store answers and can be written to.
    async fn check(&self) -> Result<(), StoreError>;

    /// Closes the store's connections, once nothing uses it any more.
    async fn close(&self);
}

/// All that a database promises. Rooms are handed the part that they have use for.
pub trait Database: Store + MirrorStore + NoteStore + ForgettingStore + MovingStore {}

impl<D: Store + MirrorStore + NoteStore + ForgettingStore + MovingStore> Database for D {}

/// What became of an event that was to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is new, and durable now.
    Accepted(EventId),
    /// It was there already: the first one's identifier.
    Duplicate(EventId),
}
