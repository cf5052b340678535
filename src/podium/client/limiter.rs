//! Asking no more often than Podium allows.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::{Instant, sleep_until};

/// Podium allows 300 requests a minute on most routes.
const REQUESTS: usize = 300;
const MINUTE: Duration = Duration::from_secs(60);

/// The longest that is waited because of what a header says: more is a mistake, or somebody else's.
const LONGEST: Duration = Duration::from_secs(300);

/// Counts what was asked within the last minute, and minds what Podium says of it.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the last requests were made, the first first.
    made: VecDeque<Instant>,
    /// Podium said that nothing is allowed until then.
    not_before: Option<Instant>,
}

impl Limiter {
    /// Waits until one more request is allowed, and counts it.
    pub(super) async fn turn(&self) {
        while let Err(until) = self.take(Instant::now()) {
            sleep_until(until).await;
        }
    }

    /// Minds what an answer says, and returns for how long nothing more is allowed, if it says so.
    pub(super) fn note(&self, headers: &HeaderMap) -> Option<Duration> {
        let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let is_spent = seconds("ratelimit-remaining") == Some(0);
        let wait = seconds(RETRY_AFTER.as_str())
            .or_else(|| seconds("ratelimit-reset").filter(|_| is_spent))
            .map(|seconds| Duration::from_secs(seconds).min(LONGEST));
        if let Some(wait) = wait {
            let until = Instant::now() + wait;
            let mut state = self.state();
            state.not_before = Some(state.not_before.map_or(until, |before| before.max(until)));
        }
        wait
    }

    /// Counts a request that is made now, or says when to ask again.
    fn take(&self, now: Instant) -> Result<(), Instant> {
        let mut state = self.state();
        while state.made.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            state.made.pop_front();
        }
        if let Some(not_before) = state.not_before.filter(|at| *at > now) {
            return Err(not_before);
        }
        match state.made.front() {
            Some(first) if state.made.len() >= REQUESTS => Err(*first + MINUTE),
            _ => {
                state.made.push_back(now);
                Ok(())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic leaves nothing half done in it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn three_hundred_requests_a_minute_are_made_and_no_more() {
        let (limiter, now) = (Limiter::default(), Instant::now());
        for number in 0..REQUESTS {
            let at = now + Duration::from_millis(number as u64);
            assert_eq!(limiter.take(at), Ok(()), "{number}");
        }
        let soon = now + Duration::from_secs(1);
        assert_eq!(limiter.take(soon), Err(now + MINUTE));
        assert_eq!(limiter.take(now + MINUTE), Ok(()));
        assert_eq!(limiter.take(now + MINUTE), Err(now + MINUTE + Duration::from_millis(1)));
    }

    #[test]
    fn what_podium_says_of_its_limit_is_minded() {
        let waits = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            let (limiter, now) = (Limiter::default(), Instant::now());
            limiter.note(&headers);
            limiter.take(now).err().map_or(0, |until| until.duration_since(now).as_secs())
        };
        assert_eq!(waits(&[("ratelimit-remaining", "12"), ("ratelimit-reset", "40")]), 0);
        assert_eq!(waits(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "40")]), 40);
        assert_eq!(waits(&[("retry-after", "7")]), 7);
        assert_eq!(waits(&[("retry-after", "soon")]), 0);
        assert_eq!(waits(&[("retry-after", "999999")]), LONGEST.as_secs());
    }
}
