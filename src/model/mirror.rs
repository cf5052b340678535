//! How the mirror stands, and what it could not make a picture of.

use jiff::Timestamp;

use super::EventId;

/// How the mirror stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorStatus {
    /// How many events are yet to be mirrored; counted up to [`MirrorStatus::COUNTED`].
    pub waiting: u64,
    /// When the longest waiting of them was received, of those that are mirrored for the first time.
    pub oldest_at: Option<Timestamp>,
    /// How many events gave no picture.
    pub skipped: u64,
    /// The newest time that it was made anew.
    pub rebuild: Option<Rebuild>,
}

impl MirrorStatus {
    /// So many are counted; more are so many.
    pub const COUNTED: u32 = 1_000_000;
}

/// Making the mirror anew from the stored events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// When it was asked for.
    pub started_at: Timestamp,
    /// How many events there were then.
    pub total: u64,
    /// How many of them were taken up again.
    pub done: u64,
    /// When all of them were mirrored.
    pub ended_at: Option<Timestamp>,
}

/// An event that gave no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEvent {
    /// The event.
    pub event_id: EventId,
    /// Why.
    pub reason: String,
}
