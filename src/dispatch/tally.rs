//! What handlers do in this process, counted beside the work and written now and then for whoever asks any process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::breaker::Breaker;
use crate::clock::Clock;
use crate::model::{Activity, AttemptOutcome, DeliveryId, DeliveryState};
use crate::store::{Settlement, Store, in_time};
use crate::telemetry::{Chain, Trouble, metrics, surviving};

/// How often what was counted is written.
const EVERY: Duration = Duration::from_secs(5);

/// How long it is believed that a handler fails throughout: a process that ends does not take it back.
const FAILING_FOR: SignedDuration = SignedDuration::from_secs(15);

/// How long it is kept what handlers did.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What one handler does in this process.
#[derive(Debug)]
pub(super) struct Tally {
    handler: String,
    pub(super) breaker: Arc<Breaker>,
    done: AtomicU64,
    failed: AtomicU64,
    /// Where it is told what was given up.
    dead: mpsc::Sender<DeliveryId>,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new(handler: &str, dead: mpsc::Sender<DeliveryId>) -> Self {
        metrics::may_be_attempted(handler, AttemptOutcome::ALL.map(AttemptOutcome::as_str));
        Self {
            handler: handler.to_owned(),
            breaker: Arc::new(Breaker::new(handler)),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dead,
        }
    }

    /// Counts what was settled.
    pub(super) fn note(&self, settled: &Settlement) {
        let done = settled.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Done).count();
        self.done.fetch_add(done as u64, Ordering::Relaxed);
        self.failed.fetch_add((settled.attempts.len() - done) as u64, Ordering::Relaxed);
        for attempt in &settled.attempts {
            metrics::attempted(&self.handler, attempt.outcome.as_str(), attempt.duration);
        }
        for attempt in settled.attempts.iter().filter(|attempt| attempt.state == DeliveryState::Dead) {
            metrics::given_up(&self.handler);
            if self.dead.try_send(attempt.delivery).is_err() {
                tracing::debug!(delivery = %attempt.delivery, "too many deliveries are given up to tell of each");
            }
        }
    }

    /// What was counted since the last time; none when there is nothing to say.
    fn take(&self, clock: &dyn Clock) -> Option<Activity> {
        let (done, failed) = (self.done.swap(0, Ordering::Relaxed), self.failed.swap(0, Ordering::Relaxed));
        let failing_until = self.breaker.open_until().and_then(|_| clock.now().checked_add(FAILING_FOR).ok());
        let handler = self.handler.clone();
        (done + failed > 0 || failing_until.is_some()).then_some(Activity {
            handler,
            done,
            failed,
            failing_until,
        })
    }
}

/// Writes every few seconds what was counted, until `stop` is cancelled. What can't be written is lost: it is for people who
/// want to know how fast a handler is now.
pub(super) async fn write(
    tallies: Vec<Arc<Tally>>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut trouble = Trouble::default();
    loop {
        for tally in &tallies {
            metrics::failing(&tally.handler, tally.breaker.open_until().is_some());
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        let noted: Vec<Activity> = tallies.iter().filter_map(|tally| tally.take(&*clock)).collect();
        if noted.is_empty() {
            continue;
        }
        let now = clock.now();
        let forget_before = now.checked_sub(KEPT_FOR).unwrap_or(now);
        let writing = in_time(store.note_activity(Activity::slot_of(now), &noted, forget_before));
        if let Some(Err(error)) = surviving("writing what handlers do", writing).await
            && let Some(left_out) = trouble.due(Instant::now())
        {
            tracing::warn!(error = %Chain(&error), left_out, "what handlers do can't be written now");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::breaker::Call;
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::{DeliveryId, DeliveryState};
    use crate::store::{FinishedAttempt, Lease, LeaseToken, QueueRef};
    use jiff::Timestamp;

    fn settled(outcomes: &[AttemptOutcome]) -> Settlement {
        let now = Timestamp::UNIX_EPOCH;
        let queue = QueueRef { handler: "crm".into(), ordering_key: "a".into() };
        let attempt = |&outcome| FinishedAttempt {
            delivery: DeliveryId::at(now),
            state: DeliveryState::Pending,
            started_at: now,
            duration: Duration::ZERO,
            outcome,
            status: None,
            output: None,
            error: None,
        };
        let lease = Lease { queue, token: LeaseToken::at(now) };
        Settlement { attempts: outcomes.iter().map(attempt).collect(), ..Settlement::untouched(lease, now) }
    }

    #[test]
    fn attempts_are_counted_by_how_they_ended_and_told_once() {
        let (tally, clock) = (Tally::new("crm", mpsc::channel(1).0), ManualClock::at(Timestamp::UNIX_EPOCH));
        assert_eq!(tally.take(&clock), None);
        tally.note(&settled(&[AttemptOutcome::Done, AttemptOutcome::Failed, AttemptOutcome::Done]));
        tally.note(&settled(&[AttemptOutcome::TimedOut]));
        let told = Activity { handler: "crm".into(), done: 2, failed: 2, failing_until: None };
        assert_eq!(tally.take(&clock), Some(told));
        assert_eq!(tally.take(&clock), None);
    }

    #[test]
    fn a_handler_that_fails_throughout_is_told_again_and_again() {
        let (tally, clock) = (Tally::new("crm", mpsc::channel(1).0), ManualClock::at(Timestamp::UNIX_EPOCH));
        for number in 0..20 {
            tally.breaker.note(&number.to_string(), Call::Failed, Instant::now());
        }
        for _ in 0..2 {
            let told = tally.take(&clock).unwrap();
            assert_eq!(told.failing_until, Some(Timestamp::UNIX_EPOCH + FAILING_FOR));
        }
        tally.breaker.note("1", Call::Answered, Instant::now());
        assert_eq!(tally.take(&clock), None);
    }
}
