//! The words of replaying many deliveries. A replay is leased as a queue is: by a token, until a moment.

use jiff::Timestamp;
use uuid::Uuid;

use super::{LeaseToken, kept};
use crate::model::{DeliveryFilter, EventId, ReplayId};

/// A request for replays to work on.
#[derive(Clone, Copy, Debug)]
pub struct ReplayLease {
    /// What the leases are known by: the same each time that one process asks.
    pub token: LeaseToken,
    /// Leases that ended at this moment or before are free.
    pub now: Timestamp,
    /// When the leases end unless they are prolonged.
    pub until: Timestamp,
}

/// A request to open the next deliveries of a replay.
#[derive(Clone, Copy, Debug)]
pub struct Portion {
    /// The replay.
    pub replay: ReplayId,
    /// What proves the right to work on it.
    pub token: LeaseToken,
    /// How many deliveries at most, at least 1.
    pub at_most: u32,
    /// When the deliveries are due.
    pub now: Timestamp,
}

impl Portion {
    /// How many deliveries are looked at in one portion: few enough that nobody waits for it.
    pub const LOOKED_AT: u32 = 1000;
}

/// What a portion came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reopened {
    /// How many deliveries were opened.
    pub number: u64,
    /// Whether the replay is through.
    pub is_through: bool,
}

/// How much earlier than its event a delivery may be made, in milliseconds: it is made after its event was received, but perhaps
/// by another machine's clock, or by one that was set back.
const EARLIER: u128 = 3_600_000;

/// The identifier behind which a replay begins to look: deliveries before it are of events that it does not mean. To pass by
/// the deliveries of all time could take hours.
pub(super) fn begins_behind(filter: &DeliveryFilter) -> Uuid {
    let event = filter.event_id.map_or(Uuid::nil(), EventId::as_uuid);
    let first = kept::ids_of_events(filter).start.max(event);
    // The milliseconds are the first 48 bits.
    Uuid::from_u128(first.as_u128().saturating_sub(EARLIER << 80))
}

/// How many deliveries fitted, as a number that is always there and not negative, which its column wants: the highest that there is
/// stands for one that is not known.
pub(super) fn matched(number: Option<u64>) -> i64 {
    number.map_or(i64::MAX, kept::count)
}

/// What [`matched`] made a number of.
pub(super) fn matched_by(kept: i64) -> Option<u64> {
    (kept != i64::MAX).then_some(kept.unsigned_abs())
}
