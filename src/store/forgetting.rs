//! What is to be forgotten, by age or by name, as a list of promises.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::StoreError;
use crate::model::{EventId, Forgettable, ResourceKind};

/// How far a round of forgetting has come: the next step begins there, and passes neither what is gone nor what stays once more. The
/// default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// In which of the places, where a kind lies in several: they are in the order of an identifier that each has for good.
    pub(super) place: Uuid,
    pub(super) id: Uuid,
}

/// What came of a step of forgetting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many went; where they went all together, as many as the database believed to have.
    pub count: u64,
    /// Where the next step begins; none when the round is over.
    pub reached: Option<Reached>,
    /// Whether more could go but for somebody who would have to wait for it now: another round will find it.
    pub is_held_up: bool,
}

/// At how many a step looks at most, those included that stay.
pub(super) const LOOK: i64 = 1000;

impl Forgotten {
    /// What came of a step through the window that ends before an identifier, or through all that is left. What went had these
    /// identifiers; of one of them there may be more.
    pub(super) fn in_window(gone: &[Uuid], at_most: u32, end: Option<Uuid>) -> Self {
        let is_full = gone.len() as u64 >= u64::from(at_most);
        let id = if is_full { gone.iter().max().copied() } else { end };
        let reached = id.map(|id| Reached { place: Uuid::nil(), id });
        Self { count: gone.len() as u64, reached, is_held_up: false }
    }
}

/// Forgetting: a little at a time, so that nobody waits for it.
#[async_trait]
pub trait ForgettingStore: Send + Sync + 'static {
    /// Makes ready for bodies that are received from a moment on and until another, so that they can be forgotten at once and
    /// not one by one. What can't be made ready now is left for the next time: nothing depends on it but the effort.
    async fn make_ready(&self, from: Timestamp, until: Timestamp) -> Result<(), StoreError>;

    /// A step of a round: forgets `at_most` of a kind that are older than the given moment, the oldest first, from where the step before came
    /// to. By the age of a delivery or a body, that of its event is meant. What stays is passed, a bounded number at a step. Bodies that can
    /// be forgotten at once go all together. Two rounds at once share what there is.
    async fn forget_before(
        &self,
        what: Forgettable,
        from: Reached,
        before: Timestamp,
        at_most: u32,
    ) -> Result<Forgotten, StoreError>;

    /// How many of a kind are older than the given moment, those included that stay for now.
    async fn count_before(&self, what: Forgettable, before: Timestamp) -> Result<u64, StoreError>;

    /// Forgets what arrived with these events, and their closed deliveries; their lines in the ledger stay, but for what a line
    /// says of a body that could not be read. An event with an open delivery, or one for whose sake a queue waits, stays as it is. Returns
    /// the events that do. Deliveries may be gone and the body not after an error: it can be done again.
    async fn forget_contents(&self, ids: &[EventId]) -> Result<Vec<EventId>, StoreError>;

    /// Forgets what the mirror has of these resources. A conversation that loses messages comes to what its others come to. Returns how
    /// many were there.
    async fn forget_resources(&self, resources: &[(ResourceKind, String)]) -> Result<u64, StoreError>;

    /// Has nothing left on the disk of what was forgotten by name, where the database leaves it there for a while. It may take its time. Returns
    /// whether nothing is: somebody who reads without an end may keep it from that.
    async fn leave_nothing(&self) -> Result<bool, StoreError>;
}
