//! How the mirror stands, and what it could not make a picture of.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

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

/// How the mirror stands, as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mirror)]
pub struct MirrorStanding {
    /// How many events are yet to be mirrored; a million stands for more.
    waiting: u64,
    oldest_received_at: Option<Timestamp>,
    lag_seconds: f64,
    skipped: u64,
    rebuild: Option<RebuildStanding>,
}

/// The newest time that the mirror was made anew.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorRebuild)]
struct RebuildStanding {
    started_at: Timestamp,
    total: u64,
    done: u64,
    ended_at: Option<Timestamp>,
}

impl MirrorStatus {
    /// How it may be shown at this moment.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> MirrorStanding {
        let lag = |at| now.duration_since(at).as_secs_f64().max(0.0);
        MirrorStanding {
            waiting: self.waiting,
            oldest_received_at: self.oldest_at,
            lag_seconds: self.oldest_at.map_or(0.0, lag),
            skipped: self.skipped,
            rebuild: self.rebuild.clone().map(|Rebuild { started_at, total, done, ended_at }| {
                RebuildStanding { started_at, total, done, ended_at }
            }),
        }
    }
}

/// An event that gave no picture, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SkippedEvent)]
pub struct SkippedStatus<'a> {
    event_id: EventId,
    reason: &'a str,
    event: String,
}

impl<'a> From<&'a SkippedEvent> for SkippedStatus<'a> {
    fn from(SkippedEvent { event_id, reason }: &'a SkippedEvent) -> Self {
        Self { event_id: *event_id, reason, event: format!("/api/v1/events/{event_id}") }
    }
}
