//! How many may fail to show a valid token: a bucket for all of them together, which a minute fills.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// How many may fail at once when none has for a minute.
const AT_ONCE: i64 = 20;

/// The bucket's whole content, as the time that fills it: microseconds.
const FULL: i64 = 60_000_000;

/// What one failure takes out of it.
const EACH: i64 = FULL / AT_ONCE;

/// Counts failures, and refuses more than there may be. Who fails is not asked: an address is cheap to change, and a bucket for
/// each would be memory that a stranger fills.
#[derive(Debug)]
pub(super) struct Failures(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    /// When it is full again, in microseconds since 1970.
    full_at: i64,
    refused: u64,
}

impl Failures {
    pub(super) fn none() -> Self {
        Self(Mutex::new(Bucket { full_at: i64::MIN, refused: 0 }))
    }

    /// Counts one more.
    ///
    /// # Errors
    /// When there were too many: in how many seconds one more may fail.
    pub(super) fn count(&self, now: Timestamp) -> Result<(), u64> {
        let mut bucket = self.bucket();
        let now = now.as_microsecond();
        // A clock that was set back leaves the bucket empty at worst.
        let full_at = bucket.full_at.clamp(now, now + FULL) + EACH;
        let too_early = full_at - (now + FULL);
        if too_early > 0 {
            bucket.refused += 1;
            return Err(too_early.unsigned_abs().div_ceil(1_000_000));
        }
        bucket.full_at = full_at;
        Ok(())
    }

    /// Takes back one that was counted and turned out to be no failure.
    pub(super) fn take_back(&self) {
        self.bucket().full_at -= EACH;
    }

    /// How many were refused since this was asked for the last time.
    pub(super) fn refused(&self) -> u64 {
        mem::take(&mut self.bucket().refused)
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        // What a panic could leave behind is a bucket like any other.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn clock() -> ManualClock {
        ManualClock::at("2026-11-22T09:00:00Z".parse().unwrap())
    }

    fn counted(failures: &Failures, now: Timestamp) -> usize {
        (0..1000).filter(|_| failures.count(now).is_ok()).count()
    }

    #[test]
    fn twenty_may_fail_at_once_and_then_one_every_three_seconds() {
        let (failures, clock) = (Failures::none(), clock());
        assert_eq!(counted(&failures, clock.now()), 20);
        assert_eq!(failures.count(clock.now()), Err(3));
        clock.advance(Duration::from_millis(2999));
        assert_eq!(failures.count(clock.now()), Err(1));
        clock.advance(Duration::from_millis(1));
        assert_eq!(counted(&failures, clock.now()), 1);
        clock.advance(Duration::from_secs(30));
        assert_eq!(counted(&failures, clock.now()), 10);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(counted(&failures, clock.now()), 20);
    }

    #[test]
    fn what_is_taken_back_leaves_room_for_another() {
        let (failures, clock) = (Failures::none(), clock());
        for _ in 0..100 {
            failures.count(clock.now()).unwrap();
            failures.take_back();
        }
        assert_eq!(counted(&failures, clock.now()), 20);
        failures.take_back();
        assert_eq!(counted(&failures, clock.now()), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_out_for_longer() {
        let (failures, clock) = (Failures::none(), clock());
        assert_eq!(counted(&failures, clock.now()), 20);
        let earlier = clock.now() - Duration::from_secs(3600);
        assert_eq!(failures.count(earlier), Err(3));
        assert_eq!(
            counted(&failures, earlier + Duration::from_secs(3)),
            0,
            "what is refused changes nothing"
        );
    }

    #[test]
    fn those_that_were_refused_are_told_once() {
        let (failures, clock) = (Failures::none(), clock());
        assert_eq!(counted(&failures, clock.now()), 20);
        assert_eq!((failures.refused(), failures.refused()), (980, 0));
    }
}
