//! How often something may be kept: a bucket a source, which a minute fills.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// What one request takes out of a bucket. A bucket gets a minute's worth of requests a minute: for each microsecond as
/// many of these parts as there may be requests.
const REQUEST: u64 = 60_000_000;

/// A limit for each of several sources. A source that was silent has a minute's worth at once.
pub(super) struct Rate {
    per_minute: u64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: u64,
    at: Timestamp,
}

impl Rate {
    /// So many requests a minute of each source.
    pub(super) fn per_minute(requests: u32) -> Self {
        Self { per_minute: requests.into(), buckets: Mutex::default() }
    }

    /// Whether one more request of this source fits, which then counts. There are only as many sources as are
    /// configured.
    pub(super) fn admits(&self, source: &str, now: Timestamp) -> bool {
        let full = self.per_minute * REQUEST;
        // What a panic could leave behind is a bucket like any other.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(source) else {
            buckets.insert(source.to_owned(), Bucket { left: full - REQUEST, at: now });
            return true;
        };
        // A clock that was set back fills nothing.
        let elapsed = u64::try_from(now.duration_since(bucket.at).as_micros()).unwrap_or(0);
        bucket.left = bucket.left.saturating_add(elapsed.saturating_mul(self.per_minute)).min(full);
        bucket.at = now;
        match bucket.left.checked_sub(REQUEST) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn admitted(rate: &Rate, source: &str, now: Timestamp) -> usize {
        (0..1000).filter(|_| rate.admits(source, now)).count()
    }

    #[test]
    fn a_minute_admits_as_many_as_it_may_and_its_parts_their_part() {
        let clock = ManualClock::at("2026-11-22T09:00:00Z".parse().unwrap());
        let rate = Rate::per_minute(60);
        assert_eq!(admitted(&rate, "a", clock.now()), 60);
        clock.advance(Duration::from_millis(999));
        assert_eq!(admitted(&rate, "a", clock.now()), 0);
        clock.advance(Duration::from_millis(1));
        assert_eq!(admitted(&rate, "a", clock.now()), 1);
        clock.advance(Duration::from_secs(10));
        assert_eq!(admitted(&rate, "a", clock.now()), 10);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(admitted(&rate, "a", clock.now()), 60);
    }

    #[test]
    fn each_source_has_its_own() {
        let now = "2026-11-22T09:00:00Z".parse().unwrap();
        let rate = Rate::per_minute(1);
        assert_eq!(admitted(&rate, "a", now), 1);
        assert_eq!(admitted(&rate, "b", now), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_admits_nothing_more() {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let rate = Rate::per_minute(5);
        assert_eq!(admitted(&rate, "a", now), 5);
        assert_eq!(admitted(&rate, "a", now - Duration::from_secs(3600)), 0);
        assert_eq!(admitted(&rate, "a", now - Duration::from_secs(3600 - 12)), 1);
    }
}
