//! How far back a claim looks.
//!
//! Queues come and go all the time, and as long as somebody holds an old transaction PostgreSQL keeps each one that is gone.
//! They all lie at the start of the index by which queues are claimed, longest due first. Where looking from the very start takes
//! long, most claims begin near the longest due queue of the claim before. Only some look further back: for what was put
//! there again, and for leases that ended unsettled.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How much earlier than the longest due of late a queue may turn up: it keeps its place for a second while it has more to do,
/// and an event may wait for its commit for some seconds.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Looking from the start takes no more than this part of the time.
const SHARE: u32 = 20;

/// And it is done this often all the same: what lies there may be what a process that died had leased.
const AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// Where claims begin.
#[derive(Debug)]
pub(super) struct Horizon {
    from: Option<Timestamp>,
    /// When to look from the start again.
    again_at: Instant,
}

impl Horizon {
    pub(super) const fn new(now: Instant) -> Self {
        Self { from: None, again_at: now }
    }

    /// How long a worker may rest at most after a claim that did not look from the start: until one may.
    pub(super) fn longest_rest(&self, now: Instant) -> Duration {
        self.again_at.saturating_duration_since(now)
    }

    /// From when on the next claim looks; none is from the start.
    pub(super) fn from(&self, now: Instant) -> Option<Timestamp> {
        if now < self.again_at { self.from } else { None }
    }

    /// Takes note of a claim that looked `from` there at the moment `at`, which took so long, and of the longest due queue that
    /// it brought.
    pub(super) fn note(
        &mut self,
        from: Option<Timestamp>,
        longest_due: Option<Timestamp>,
        at: Timestamp,
        took: Duration,
        now: Instant,
    ) {
        if from.is_none() {
            self.again_at = now + (took * SHARE).min(AT_LEAST_EVERY);
        }
        self.from = longest_due.unwrap_or(at).min(at).checked_sub(MARGIN).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + number).unwrap()
    }

    #[test]
    fn claims_begin_near_the_longest_due_and_now_and_then_at_the_start() {
        let begun = Instant::now();
        let after = |milliseconds| begun + Duration::from_millis(milliseconds);
        let mut horizon = Horizon::new(begun);
        assert_eq!(horizon.from(begun), None);
        horizon.note(None, Some(second(-60)), second(0), Duration::from_millis(50), begun);
        assert_eq!(horizon.from(after(1)), Some(second(-65)));
        horizon.note(Some(second(-65)), None, second(0), Duration::from_millis(1), after(1));
        assert_eq!(
            (horizon.from(after(999)), horizon.longest_rest(after(999)).as_millis()),
            (Some(second(-5)), 1)
        );
        assert_eq!((horizon.from(after(1000)), horizon.longest_rest(after(1000))), (None, Duration::ZERO));
        horizon.note(None, None, second(1), Duration::from_millis(200), after(1000));
        assert_eq!(horizon.from(after(4999)), Some(second(-4)), "a look that takes long is rare");
        assert_eq!(horizon.from(after(5000)), None);
        horizon.note(None, None, second(5), Duration::from_secs(15), after(5000));
        assert_eq!(horizon.from(after(15_000)), None, "a slow claim hides nothing for long");
    }
}
