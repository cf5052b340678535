//! A circuit breaker: a handler that fails throughout is tried now and again, instead of by everything that waits.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row, from so many different queues, open it. One conversation that can never be handled is no
/// reason to keep the others waiting.
const FAILURES: u32 = 20;
const QUEUES: usize = 5;

/// How long it stays open before the first probe; the wait doubles with each probe that fails.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// One handler's breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    handler: String,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Calls are made. How many failed since one succeeded, and from which queues, as far as that matters.
    Closed { failures: u32, queues: HashSet<String> },
    /// No calls are made until then, and then one.
    Open { until: Instant, wait: Duration, probing: bool },
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The other side answered, if only that it will never take this one.
    Answered,
    /// It may succeed later.
    Failed,
    /// It was dropped in the middle, and tells nothing.
    Dropped,
}

impl Breaker {
    pub(super) fn new(handler: &str) -> Self {
        Self { handler: handler.to_owned(), state: Mutex::new(State::closed()) }
    }

    /// Until when there is to be no call; none when calls are made.
    pub(super) fn open_until(&self) -> Option<Instant> {
        match &*self.locked() {
            State::Closed { .. } => None,
            State::Open { until, .. } => Some(*until),
        }
    }

    /// Whether a call may be made now. One that is allowed must be [noted](Self::note).
    pub(super) fn allows(&self, now: Instant) -> bool {
        match &mut *self.locked() {
            State::Closed { .. } => true,
            State::Open { until, probing, .. } => *until <= now && !std::mem::replace(probing, true),
        }
    }

    /// Takes note of how a call for a queue went.
    pub(super) fn note(&self, ordering_key: &str, call: Call, now: Instant) {
        let handler = &self.handler;
        let mut state = self.locked();
        match (&mut *state, call) {
            (State::Closed { failures: 0, .. }, Call::Answered) | (State::Closed { .. }, Call::Dropped) => {}
            (State::Closed { .. }, Call::Answered) => *state = State::closed(),
            (State::Closed { failures, queues }, Call::Failed) => {
                *failures += 1;
                if queues.len() < QUEUES && !queues.contains(ordering_key) {
                    queues.insert(ordering_key.to_owned());
                }
                if *failures >= FAILURES && queues.len() >= QUEUES {
                    tracing::error!(handler, "a handler fails throughout: from now on it is only probed");
                    *state = State::Open { until: now + FIRST_WAIT, wait: FIRST_WAIT, probing: false };
                }
            }
            (State::Open { .. }, Call::Answered) => {
                tracing::info!(handler, "a handler works again");
                *state = State::closed();
            }
            // Calls that were under way when it opened fail, too, and are no probes.
            (State::Open { probing: false, .. }, _) => {}
            (State::Open { until, wait, probing }, Call::Failed) => {
                *wait = (*wait * 2).min(LONGEST_WAIT);
                *until = now + *wait;
                *probing = false;
            }
            (State::Open { probing, .. }, Call::Dropped) => *probing = false,
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn closed() -> Self {
        Self::Closed { failures: 0, queues: HashSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, times: u32, queues: u32, now: Instant) {
        for time in 0..times {
            breaker.note(&format!("conversation:{}", time % queues), Call::Failed, now);
        }
    }

    #[test]
    fn a_handler_that_fails_throughout_is_probed_ever_more_rarely_until_it_answers() {
        let (breaker, begun) = (Breaker::new("crm"), Instant::now());
        fail(&breaker, FAILURES - 1, 10, begun);
        assert!(breaker.allows(begun));
        fail(&breaker, 1, 1, begun);
        let mut at = begun;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            let until = at + Duration::from_secs(wait);
            assert_eq!(breaker.open_until(), Some(until));
            assert!(!breaker.allows(until - Duration::from_millis(1)));
            assert!(breaker.allows(until));
            assert!(!breaker.allows(until), "one probe at a time");
            breaker.note("conversation:1", Call::Failed, until);
            at = until;
        }
        let until = breaker.open_until().unwrap();
        assert!(breaker.allows(until));
        breaker.note("conversation:1", Call::Dropped, until);
        assert!(breaker.allows(until), "a dropped probe tells nothing");
        breaker.note("conversation:1", Call::Answered, until);
        assert_eq!(breaker.open_until(), None);
        fail(&breaker, FAILURES - 1, 10, until);
        assert!(breaker.allows(until), "it counts from the start");
    }

    #[test]
    fn a_few_conversations_that_never_succeed_keep_no_others_waiting() {
        let (breaker, now) = (Breaker::new("crm"), Instant::now());
        fail(&breaker, 10 * FAILURES, 4, now);
        assert!(breaker.allows(now));
        fail(&breaker, 5, 5, now);
        assert!(!breaker.allows(now));
    }

    #[test]
    fn an_answer_in_between_keeps_it_closed() {
        let (breaker, now) = (Breaker::new("crm"), Instant::now());
        for _ in 0..10 {
            fail(&breaker, FAILURES - 1, 10, now);
            breaker.note("conversation:1", Call::Answered, now);
        }
        assert!(breaker.allows(now));
    }
}
