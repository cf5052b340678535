//! Writing down what became of leased queues, beside the claiming of further ones: both keep the store busy at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::held::Held;
use super::tally::Tally;
use super::worker::{LONGEST_REST, STREAM};
use crate::store::{Settlement, Store, StoreError, in_time};
use crate::telemetry::{Chain, Trouble};

/// So many queues are settled in one statement, or as many as have so many attempts. It holds their locks, and an acceptance
/// may have to wait for one of them.
const TOGETHER: usize = 32;
const ATTEMPTS: usize = 256;

/// So many such statements at once. On two cores it makes no difference; it is for a database that has more.
const AT_ONCE: usize = 2;

/// How long what has ended waits for others, so that they are written together. Nobody waits for it but its own queue.
const GATHER: Duration = Duration::from_millis(2);

/// How long to wait before a store that could not settle is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Everything that is needed to settle one handler's queues.
pub(super) struct Settler {
    pub(super) handler: String,
    pub(super) tally: Arc<Tally>,
    pub(super) store: Arc<dyn Store>,
    pub(super) held: Held,
    /// Told whenever something was settled: what is left of a queue may be claimed again.
    pub(super) settled: Arc<Notify>,
    /// Changes with each commit of events.
    pub(super) signal: watch::Receiver<u64>,
    /// The word that the worker takes up nothing new, and the one that it is too late.
    pub(super) stop: CancellationToken,
    pub(super) cut: CancellationToken,
    pub(super) trouble: Mutex<Trouble>,
}

impl Settler {
    /// Settles until nobody can hand in more and all is written, or until it is too late.
    pub(super) async fn run(self, mut ended: UnboundedReceiver<Settlement>) {
        let mut at_once = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(()) = at_once.next() => self.settled.notify_one(),
                Some(first) = ended.recv(), if at_once.len() < AT_ONCE => {
                    let some = gather(first, &mut ended).await;
                    at_once.push(self.settle_in_turn(some));
                }
                else => return,
            }
        }
    }

    async fn settle_in_turn(&self, some: Vec<Settlement>) {
        let (begun, commits) = (Instant::now(), *self.signal.borrow());
        self.settle(some).await;
        // While events stream in, those who send them go first: see `worker`.
        if self.signal.borrow().wrapping_sub(commits) >= STREAM && !self.stop.is_cancelled() {
            tokio::select! {
                () = sleep(begun.elapsed().min(LONGEST_REST)) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// Writes it. While the store is away it is tried again: until then the leases are kept up.
    async fn settle(&self, together: Vec<Settlement>) {
        let mut portions = VecDeque::from([together]);
        // After a try whose answer may have been lost, and not the settlement.
        let mut is_unsure = false;
        while let Some(portion) = portions.pop_front() {
            match in_time(self.store.settle(&portion)).await {
                Ok(written) => self.report(&portion, &written, is_unsure).await,
                // One that can't be written must not hold up the others.
                Err(StoreError::Failed(_)) if portion.len() > 1 => {
                    portions.extend(portion.into_iter().map(|settlement| vec![settlement]));
                }
                Err(error @ StoreError::Failed(_)) => match without_texts(&portion) {
                    Some(portion) => portions.push_front(portion),
                    None => self.give_up(&portion, &error),
                },
                Err(error) => {
                    if let Some(left_out) = self.troubled() {
                        let handler = &self.handler;
                        tracing::warn!(handler, error = %Chain(&error), left_out, "finished work can't be settled yet");
                    }
                    portions.push_front(portion);
                    is_unsure = true;
                    tokio::select! {
                        () = sleep(AGAIN) => {}
                        // What is not settled now is due again when its lease ends.
                        () = self.cut.cancelled() => return,
                    }
                }
            }
        }
    }

    /// Lets the leases end by themselves.
    fn give_up(&self, portion: &[Settlement], error: &StoreError) {
        let handler = &self.handler;
        tracing::error!(handler, error = %Chain(error), "finished work can't be settled: it is done again");
        portion.iter().for_each(|settlement| self.held.remove(&settlement.lease));
    }

    fn troubled(&self) -> Option<u64> {
        // Nothing panics under the lock.
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now())
    }

    async fn report(&self, settled: &[Settlement], written: &[bool], is_unsure: bool) {
        settled.iter().for_each(|settlement| self.held.remove(&settlement.lease));
        for (settlement, written) in settled.iter().zip(written) {
            if *written || (is_unsure && self.stands(settlement).await) {
                self.tally.note(settlement);
            } else {
                let queue = &settlement.lease.queue;
                tracing::warn!(
                    queue.handler,
                    queue.ordering_key,
                    "a lease ended before its work was settled: it is done again"
                );
            }
        }
    }

    /// Whether a settlement that found no lease was written before that: then its attempts are there. One without attempts
    /// changes nothing that counts.
    async fn stands(&self, settlement: &Settlement) -> bool {
        let Some(first) = settlement.attempts.first() else { return true };
        let kept = in_time(self.store.attempts(first.delivery)).await.unwrap_or_default();
        // Stores keep moments to the microsecond.
        kept.iter().any(|kept| kept.started_at.as_microsecond() == first.started_at.as_microsecond())
    }
}

async fn gather(first: Settlement, ended: &mut UnboundedReceiver<Settlement>) -> Vec<Settlement> {
    let mut attempts = first.attempts.len();
    let mut some = vec![first];
    let until = Instant::now() + GATHER;
    while some.len() < TOGETHER
        && attempts < ATTEMPTS
        && let Ok(Some(next)) = timeout_at(until, ended.recv()).await
    {
        attempts += next.attempts.len();
        some.push(next);
    }
    some
}

/// What a handler said may be what the store can't take: without it the work is settled at least. None when there is
/// nothing to leave out.
fn without_texts(portion: &[Settlement]) -> Option<Vec<Settlement>> {
    let mut portion = portion.to_vec();
    let mut had_texts = false;
    for attempt in portion.iter_mut().flat_map(|settlement| &mut settlement.attempts) {
        had_texts |= attempt.output.take().is_some() | attempt.error.take().is_some();
    }
    had_texts.then_some(portion)
}
