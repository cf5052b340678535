//! What a handler has been doing of late.

use jiff::Timestamp;

/// What the calls of one handler came to, in any number of processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The handler's name.
    pub handler: String,
    /// How many attempts ended well.
    pub done: u64,
    /// How many failed.
    pub failed: u64,
    /// Until when it counts as failing throughout: some process only probes it, and says so again before this moment while
    /// that lasts.
    pub failing_until: Option<Timestamp>,
}

impl Activity {
    /// What is counted is kept by slots of time of this length.
    const SLOT: i64 = 10;

    /// How far back one looks to see how fast a handler is, in slots.
    const RECENT: i64 = 6;

    /// The beginning of the slot that `at` is in.
    #[must_use]
    pub fn slot_of(at: Timestamp) -> Timestamp {
        Self::beginning(at.as_second().div_euclid(Self::SLOT))
    }

    /// The beginning of the first slot that says how fast a handler is at `now`: a little more than a minute ago.
    #[must_use]
    pub fn recent_from(now: Timestamp) -> Timestamp {
        Self::beginning(now.as_second().div_euclid(Self::SLOT) - Self::RECENT)
    }

    fn beginning(slot: i64) -> Timestamp {
        Timestamp::from_second(slot * Self::SLOT).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_ten_seconds_and_what_is_recent_a_minute_and_the_slot_that_is_going_on() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(Activity::slot_of(at("2026-11-22T09:30:19.9Z")), at("2026-11-22T09:30:10Z"));
        assert_eq!(Activity::slot_of(at("2026-11-22T09:30:20Z")), at("2026-11-22T09:30:20Z"));
        assert_eq!(Activity::recent_from(at("2026-11-22T09:30:20Z")), at("2026-11-22T09:29:20Z"));
    }
}
