//! What is to be forgotten, by age or by name, as a list of promises.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::model::{EventId, Forgettable, ResourceKind};

/// Forgetting: a little at a time, so that nobody waits for it.
#[async_trait]
pub trait ForgettingStore: Send + Sync + 'static {
    /// Makes ready for bodies that are received from a moment on and until another, so that they can be forgotten at once and
    /// not one by one. What can't be made ready now is left for the next time: nothing depends on it but the effort.
    async fn make_ready(&self, from: Timestamp, until: Timestamp) -> Result<(), StoreError>;

    /// Forgets about `at_most` of a kind that are older than the given moment, the oldest first. By the age of a delivery or a body,
    /// that of its event is meant. Bodies that can be forgotten at once go all together, and are then counted by what the database
    /// believes to have. Returns how many were forgotten; none when there are no more, or the rest can't be forgotten now.
    async fn forget_before(
        &self,
        what: Forgettable,
        before: Timestamp,
        at_most: u32,
    ) -> Result<u64, StoreError>;

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
