//! What must survive of the mirror, as a list of promises, and the words of it. The mirror is one process's at a time: what it
//! writes is fenced by its lease.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{LeaseToken, StoreError};
use crate::model::{
    Content, EventId, EventRecord, MirrorStatus, PageRequest, Place, Resource, ResourceFilter, ResourceKind,
    ResourceState, SkippedEvent, Statistics,
};

/// The picture that accepted events give. Everything in it can be made anew from them.
#[async_trait]
pub trait MirrorStore: Send + Sync + 'static {
    /// Makes the asker the only one who is at the mirror, or prolongs that. Returns whether it is.
    async fn lease_mirror(&self, lease: &MirrorLease) -> Result<bool, StoreError>;

    /// The first events that are yet to be mirrored, in the order in which they were received. Every accepted event is among
    /// them until it is [`mirrored`](Self::mirror).
    async fn unmirrored(&self, at_most: u32) -> Result<Vec<Unmirrored>, StoreError>;

    /// Writes what a few events come to, all or nothing: a state takes the place of one that is not newer. Those that were yet to
    /// be mirrored are then in the feed. Returns whether the asker is still the one who is at the mirror; if not, nothing is
    /// written.
    async fn mirror(&self, mirrored: &Mirrored) -> Result<bool, StoreError>;

    /// Asks for the mirror to be made anew: every event that there is now is to be mirrored again. What was begun before and
    /// is not through begins anew.
    async fn begin_rebuild(&self, now: Timestamp) -> Result<(), StoreError>;

    /// The next events for making the mirror anew, in the order in which they were received: those after the last that were
    /// mirrored for it. `None` when nobody has asked for it, or it is through.
    async fn to_rebuild(&self, at_most: u32) -> Result<Option<Rebuilding>, StoreError>;

    /// Takes down that making the mirror anew is through, unless it was asked for again meanwhile: it was to go on after this
    /// event. Returns whether it is.
    async fn end_rebuild(
        &self,
        token: LeaseToken,
        after: EventId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The next events of the feed after a position, each with its own. Whoever goes on from the last position misses no event
    /// that is there by then, and none that comes later.
    async fn feed(&self, after: u64, at_most: u32) -> Result<Vec<(u64, EventRecord)>, StoreError>;

    /// The last position of the feed; 0 when it is empty.
    async fn feed_end(&self) -> Result<u64, StoreError>;

    /// What arrived from a moment on and before another, and what became of it.
    async fn statistics(&self, from: Timestamp, before: Timestamp) -> Result<Statistics, StoreError>;

    /// How the mirror stands.
    async fn mirror_status(&self) -> Result<MirrorStatus, StoreError>;

    /// Events that gave no picture, newest first.
    async fn skipped(&self, page: PageRequest<EventId>) -> Result<Vec<SkippedEvent>, StoreError>;

    /// Resources of a kind that fit the filter, newest first.
    async fn resources(
        &self,
        kind: ResourceKind,
        filter: &ResourceFilter,
        page: PageRequest<Place>,
    ) -> Result<Vec<Resource>, StoreError>;

    /// The resources of a kind that have these uids; those that are not known are left out. The order is not given.
    async fn resources_by_uid(
        &self,
        kind: ResourceKind,
        uids: &[String],
    ) -> Result<Vec<Resource>, StoreError>;

    /// The uids of the resources of a kind that were merged into this one, directly or by way of others, and its own.
    async fn merged_uids(&self, kind: ResourceKind, uid: &str) -> Result<Vec<String>, StoreError>;

    /// The events behind a resource, newest first.
    async fn events_of(
        &self,
        kind: ResourceKind,
        uid: &str,
        page: PageRequest<EventId>,
    ) -> Result<Vec<EventRecord>, StoreError>;
}

/// A request to be the one who is at the mirror.
#[derive(Clone, Copy, Debug)]
pub struct MirrorLease {
    /// What the lease is known by: the same each time that one process asks.
    pub token: LeaseToken,
    /// A lease that ended at this moment or before is free.
    pub now: Timestamp,
    /// When the lease ends unless it is prolonged.
    pub until: Timestamp,
}

/// An event that is yet to be mirrored.
#[derive(Clone, Debug)]
pub struct Unmirrored {
    /// The event.
    pub event: EventRecord,
    /// What arrived; none when it was forgotten.
    pub content: Option<Content>,
}

/// What a few events come to.
#[derive(Clone, Debug)]
pub struct Mirrored {
    /// What proves the right to write it.
    pub token: LeaseToken,
    /// The states that they tell of, of each resource the newest only.
    pub states: Vec<ResourceState>,
    /// Which resources each event tells of.
    pub told_by: Vec<(ResourceKind, String, EventId)>,
    /// Events that gave no picture.
    pub skipped: Vec<SkippedEvent>,
    /// Events that were read and gave the picture that they should: they are skipped no more.
    pub fitting: Vec<EventId>,
    /// All of these events, in order.
    pub events: Vec<EventId>,
    /// The event after which they were taken up for making the mirror anew, if they were: then that goes on after them.
    pub rebuilt_after: Option<EventId>,
}

impl Mirrored {
    /// What one of the events comes to, by itself.
    #[must_use]
    pub fn only(&self, event: EventId, rebuilt_after: Option<EventId>) -> Self {
        let is_its = |other: &EventId| *other == event;
        Self {
            token: self.token,
            states: self.states.iter().filter(|state| is_its(&state.event_id)).cloned().collect(),
            told_by: self.told_by.iter().filter(|(_, _, by)| is_its(by)).cloned().collect(),
            skipped: self.skipped.iter().filter(|one| is_its(&one.event_id)).cloned().collect(),
            fitting: self.fitting.iter().copied().filter(is_its).collect(),
            events: vec![event],
            rebuilt_after,
        }
    }

    /// The same events, none of which gives a picture, for this reason.
    #[must_use]
    pub fn left_out(self, reason: &str) -> Self {
        let skip = |event_id: &EventId| SkippedEvent { event_id: *event_id, reason: reason.to_owned() };
        Self {
            skipped: self.events.iter().map(skip).collect(),
            states: Vec::new(),
            told_by: Vec::new(),
            fitting: Vec::new(),
            ..self
        }
    }
}

/// What is next for making the mirror anew.
#[derive(Clone, Debug)]
pub struct Rebuilding {
    /// How far it is: the last event that was mirrored for it.
    pub after: EventId,
    /// The next ones; empty when there are no more.
    pub events: Vec<Unmirrored>,
}
