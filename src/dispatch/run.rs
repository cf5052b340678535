//! One leased queue: its deliveries, one after another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::Ready;
use super::breaker::{Breaker, Call};
use super::retry::after_failure;
use crate::clock::Clock;
use crate::config::OnDead;
use crate::handlers::{Failure, Success, Work};
use crate::model::{Attempt, AttemptOutcome, Delivery, DeliveryState, TraceContext};
use crate::store::{Due, FinishedAttempt, LeasedQueue, Settlement};
use crate::telemetry::{metrics, traces};

/// How long after its timeout a call is dropped: time for the handler to end what it began, and to hand over what there
/// is to keep of it.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a run goes on taking up deliveries. What it has done is only settled at its end, and a crash repeats it.
const LONG: Duration = Duration::from_secs(1);

/// A queue with more to do keeps its place among the others for so long, and then goes behind them. To move it each time
/// would cost the store an index entry each time.
const TURN: SignedDuration = SignedDuration::from_secs(1);

/// After so many leases that ended unsettled one after another, the first delivery of the queue is to blame: it failed.
const LOST: u32 = 5;

/// A run that has ended: what became of the queue, and what it was like.
pub(super) struct Ran {
    pub(super) settlement: Settlement,
    pub(super) load: Load,
}

/// What a run was like.
#[derive(Default)]
pub(super) struct Load {
    /// How long it took, the wait for its turn not included.
    pub(super) took: Duration,
    /// How many calls it made.
    pub(super) calls: usize,
    /// How many deliveries it had, and how much of bodies with them in memory.
    pub(super) deliveries: usize,
    pub(super) bytes: usize,
    /// Whether the breaker opened between its claim and its turn: it is as untried as it was.
    pub(super) was_refused: bool,
}

/// What all runs of a handler share.
pub(super) struct Shared {
    pub(super) ready: Arc<Ready>,
    /// A place for each call that may run.
    pub(super) calls: Semaphore,
    pub(super) breaker: Arc<Breaker>,
    pub(super) clock: Arc<dyn Clock>,
    /// The word to take up nothing new.
    pub(super) stop: CancellationToken,
}

/// Waits for one of the places for calls, and runs a queue. The word to stop and `cut` end the waiting, too: then nothing was
/// tried. The first call of a probe is made whatever the breaker says.
pub(super) async fn run_in_turn(
    queue: LeasedQueue,
    shared: Arc<Shared>,
    cut: CancellationToken,
    is_probe: bool,
) -> Ran {
    let deliveries = queue.due.len();
    let bytes = queue.bytes();
    let due_at = queue.due_at;
    let place = tokio::select! {
        place = shared.calls.acquire() => place.ok(),
        () = shared.stop.cancelled() => None,
        () = cut.cancelled() => None,
    };
    let begun = Instant::now();
    let settlement = match place {
        Some(_place) => run(queue, &shared, cut, is_probe).await,
        None => Settlement::untouched(queue.lease, due_at),
    };
    let (took, calls) = (begun.elapsed(), settlement.attempts.len());
    let was_refused = calls == 0 && shared.breaker.open_until().is_some();
    let load = Load { took, calls, deliveries, bytes, was_refused };
    Ran { settlement, load }
}

/// Runs what is due of a queue, until it is through, something has to be tried again later, or it has been at it for
/// long. The word to stop lets the call under way end, `cut` does not.
async fn run(
    mut queue: LeasedQueue,
    shared: &Shared,
    cut: CancellationToken,
    mut is_probe: bool,
) -> Settlement {
    let Shared { ready, breaker, clock, stop, .. } = shared;
    let ordering_key = queue.lease.queue.ordering_key.clone();
    let mut settlement = Settlement::untouched(queue.lease, queue.due_at);
    let begun = Instant::now();
    if queue.lost > 0 {
        // Perhaps it was for the first of them that the process died: no other is to be repeated with it.
        queue.due.truncate(1);
    }
    for due in queue.due {
        if stop.is_cancelled()
            || cut.is_cancelled()
            || begun.elapsed() > LONG
            || !(std::mem::take(&mut is_probe) || breaker.allows(Instant::now()))
        {
            break;
        }
        let (delivery, received_at) = (due.delivery.clone(), due.event.received_at);
        let started_at = clock.now();
        let timer = Instant::now();
        let result = if queue.lost < LOST {
            tokio::select! {
                // In this order: what has ended at the moment of the cut has ended.
                biased;
                result = call(due, ready, started_at) => Some(result),
                () = cut.cancelled() => None,
            }
        } else {
            let lost = queue.lost;
            Some(Err(Failure::retry(format!(
                "its lease was lost in the middle, {lost} times one after another: perhaps it ends the process"
            ))))
        };
        breaker.note(&ordering_key, told_by(result.as_ref()), Instant::now());
        let attempt = Finished { started_at, duration: timer.elapsed(), result };
        let now = clock.now();
        let (attempt, again_at) = attempt.judge(&delivery, ready, now);
        trace(&delivery, &attempt, now);
        let state = attempt.state;
        settlement.attempts.push(attempt);
        if state == DeliveryState::Done {
            metrics::handled_after(&ready.name, now.duration_since(received_at).as_secs_f64());
        }
        if let Some(at) = again_at {
            // What comes after it in the queue waits with it: that is the order that was promised.
            settlement.due_at = at;
            break;
        }
        if now.duration_since(queue.due_at) > TURN {
            settlement.due_at = now;
        }
        if state == DeliveryState::Dead && ready.on_dead == OnDead::Park {
            settlement.parked_by = Some(delivery.id);
            break;
        }
    }
    settlement
}

/// Tells whoever follows the event of the attempt.
fn trace(delivery: &Delivery, attempt: &FinishedAttempt, now: Timestamp) {
    if traces::are_sent() {
        let number = delivery.attempts.saturating_add(1);
        let told = traces::Attempt {
            context: TraceContext::of_attempt(delivery.event_id, delivery.id, attempt.started_at),
            receipt: TraceContext::of_receipt(delivery.event_id),
            event_id: delivery.event_id.to_string(),
            delivery_id: delivery.id.to_string(),
            handler: &delivery.handler,
            number,
            outcome: attempt.outcome.as_str(),
            status: attempt.status,
        };
        traces::attempted(&told, now, attempt.duration);
    }
}

/// What a call tells of the handler as a whole.
fn told_by(result: Option<&Result<Success, Failure>>) -> Call {
    match result {
        Some(Err(failure)) if !failure.permanent => Call::Failed,
        Some(_) => Call::Answered,
        None => Call::Dropped,
    }
}

async fn call(due: Due, ready: &Ready, started_at: Timestamp) -> Result<Success, Failure> {
    let Due { delivery, event, content } = due;
    let work = Work { event, content, delivery, started_at, timeout: ready.timeout };
    // All of it in there: a handler may panic before there is anything to wait for, or when it is dropped.
    let call = async { timeout(ready.timeout + MARGIN, ready.handler.handle(&work)).await };
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(Ok(result)) => result,
        // The panic's message may hold anything, a secret too: it went to standard error, and stays there.
        Err(_panic) => Err(Failure::retry("the handler panicked")),
        Ok(Err(_elapsed)) => Err(Failure::timed_out(format!("no end within {:?}", ready.timeout))),
    }
}

/// An attempt that has ended.
struct Finished {
    started_at: Timestamp,
    duration: Duration,
    /// None when the call was dropped in the middle, because the process stops or can't keep the lease.
    result: Option<Result<Success, Failure>>,
}

impl Finished {
    /// What is kept of the attempt, and when the delivery is tried again, if it is.
    fn judge(
        self,
        delivery: &Delivery,
        ready: &Ready,
        now: Timestamp,
    ) -> (FinishedAttempt, Option<Timestamp>) {
        let kept = |state, outcome, status, output: Option<String>, error| FinishedAttempt {
            delivery: delivery.id,
            state,
            started_at: self.started_at,
            duration: self.duration,
            outcome,
            status,
            output: output.map(shorten),
            error,
        };
        let (outcome, failure, again_at) = match self.result {
            Some(Ok(Success { status, output })) => {
                return (kept(DeliveryState::Done, AttemptOutcome::Done, status, output, None), None);
            }
            Some(Err(failure)) => {
                let outcome =
                    if failure.timed_out { AttemptOutcome::TimedOut } else { AttemptOutcome::Failed };
                let again_at = after_failure(&ready.retry, delivery, &failure, now);
                (outcome, failure, again_at)
            }
            // The handler is not to blame: tried again at once, by whoever comes next.
            None => (AttemptOutcome::Failed, Failure::retry("cut off in the middle"), Some(now)),
        };
        report(delivery, &failure, again_at);
        let state = if again_at.is_some() { DeliveryState::Pending } else { DeliveryState::Dead };
        (kept(state, outcome, failure.status, failure.output, Some(shorten(failure.reason))), again_at)
    }
}

fn report(delivery: &Delivery, failure: &Failure, again_at: Option<Timestamp>) {
    let Delivery { id, event_id, handler, .. } = delivery;
    let reason = &failure.reason;
    match again_at {
        Some(at) => {
            tracing::warn!(handler, delivery_id = %id, %event_id, reason, again_at = %at, "a delivery failed");
        }
        None => {
            tracing::error!(handler, delivery_id = %id, %event_id, reason, "a delivery is dead: it waits for a replay");
        }
    }
}

fn shorten(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(Attempt::KEPT_BYTES));
    text
}
