//! Statistics: what arrived in a range of time, and what became of it.

use std::time::Duration;

use jiff::Timestamp;

use super::DeliveryState;

/// What arrived in a range of time, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many events were received, by type, source and hour, in that order.
    pub events: Vec<EventCount>,
    /// How the deliveries of these events stand.
    pub deliveries: Vec<(DeliveryState, u64)>,
    /// How soon customers were answered, of messages that were made in that time.
    pub responses: ResponseTimes,
}

/// How many events of a type came in by a source in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The type.
    pub event_type: String,
    /// The source.
    pub source: String,
    /// When the hour began.
    pub hour: Timestamp,
    /// How many.
    pub count: u64,
}

/// How long customers waited: from the first message that they wrote since they were last answered, to the next message to them
/// that did not fail. What was not answered within the time is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseTimes {
    /// How many answers there were.
    pub count: u64,
    /// The average; none where there were no answers, like the others.
    pub average: Option<Duration>,
    /// Half of the answers took no longer.
    pub median: Option<Duration>,
    /// Nine in ten took no longer.
    pub ninetieth: Option<Duration>,
}
