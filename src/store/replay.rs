//! The words of replaying many deliveries. A replay is leased as a queue is: by a token, until a moment.

use jiff::Timestamp;

use super::LeaseToken;
use crate::model::ReplayId;

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
