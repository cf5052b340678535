//! Making a batch durable: in the store or, when that is away, in the spool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::accept::Receipt;
use super::lanes::Waiting;
use super::rejection::Rejection;
use crate::model::NewEvent;
use crate::spool::{Spool, SpoolError};
use crate::store::{Acceptance, Store, StoreError};
use crate::telemetry::{Chain, metrics};

/// How often the store is asked again before an event goes to the spool, and the first wait: a connection that broke is
/// no outage.
const AGAIN: (usize, Duration) = (2, Duration::from_millis(20));

/// So few events in the spool are gone in a moment, if the store takes them: then it is worth waiting for that moment.
const FEW: u64 = 1000;
const MOMENT: Duration = Duration::from_millis(200);

/// Where a batch becomes durable.
pub(super) struct Commit {
    store: Arc<dyn Store>,
    spool: Spool,
    /// How long the store may take.
    deadline: Duration,
    /// Whether the last batch could be kept nowhere: that is told once and not for every batch.
    is_refusing: AtomicBool,
}

type Answer = oneshot::Sender<Result<Receipt, Rejection>>;

impl Commit {
    pub(super) const fn new(store: Arc<dyn Store>, spool: Spool, deadline: Duration) -> Self {
        Self { store, spool, deadline, is_refusing: AtomicBool::new(false) }
    }

    /// Makes a batch durable and answers each.
    ///
    /// As long as anything is in the spool, what is newer goes there, too: else an event could come into the store before
    /// an older one of its conversation. A lane runs one batch after another, so nothing of a lane is on its way to the
    /// store while something newer of it is appended.
    pub(super) async fn run(&self, batch: Vec<Waiting>) {
        let deadline = batch.first().map_or_else(Instant::now, |first| first.since) + self.deadline;
        let (events, answers): (Vec<NewEvent>, Vec<Answer>) =
            batch.into_iter().map(|waiting| (waiting.event, waiting.answer)).unzip();
        loop {
            if self.spool_is_empty(deadline).await {
                match self.store(&events, deadline).await {
                    Ok(acceptances) => {
                        self.is_refusing.store(false, Ordering::Relaxed);
                        metrics::committed(events.len(), "store");
                        return answer(answers, acceptances.into_iter().map(Receipt::stored));
                    }
                    Err(reason) => {
                        tracing::warn!(
                            reason,
                            events = events.len(),
                            "the store does not take events: they go to the spool"
                        );
                    }
                }
            }
            match self.spool.append(events.iter().map(NewEvent::arrival).collect()).await {
                Ok(()) => {
                    self.is_refusing.store(false, Ordering::Relaxed);
                    metrics::committed(events.len(), "spool");
                    return answer(answers, events.iter().map(|event| Receipt::spooled(event.record.id)));
                }
                // What is drained makes room.
                Err(SpoolError::Full { .. }) if self.has_moved(deadline).await => {}
                Err(error) => return self.refuse(answers, &error),
            }
        }
    }

    /// Whether events may go to the store. Where that will be in a moment, the moment is waited for: under load a spool
    /// that is always added to would never be empty.
    async fn spool_is_empty(&self, deadline: Instant) -> bool {
        if self.spool.is_empty() {
            return true;
        }
        let mut depth = self.spool.watch();
        let before = depth.borrow_and_update().events;
        if before > FEW {
            return false;
        }
        let moment = deadline.min(Instant::now() + MOMENT);
        matches!(timeout_at(moment, depth.wait_for(|now| now.events == 0)).await, Ok(Ok(_)))
    }

    /// Whether there is less in the spool before the deadline than now.
    async fn has_moved(&self, deadline: Instant) -> bool {
        let mut depth = self.spool.watch();
        let before = depth.borrow_and_update().bytes;
        matches!(timeout_at(deadline, depth.wait_for(|now| now.bytes < before)).await, Ok(Ok(_)))
    }

    async fn store(&self, events: &[NewEvent], deadline: Instant) -> Result<Vec<Acceptance>, String> {
        let (times, wait) = AGAIN;
        let waits = ExponentialBuilder::new().with_min_delay(wait).with_max_times(times);
        let accepting = (|| self.store.accept(events))
            .retry(waits)
            .when(|error| matches!(error, StoreError::Unavailable(_)));
        match timeout_at(deadline, accepting).await {
            Ok(accepted) => accepted.map_err(|error| Chain(&error).to_string()),
            Err(_elapsed) => Err("it did not answer in time".to_owned()),
        }
    }

    fn refuse(&self, answers: Vec<Answer>, error: &SpoolError) {
        if !self.is_refusing.swap(true, Ordering::Relaxed) {
            tracing::error!(
                error = %Chain(error),
                "events are answered 503, for Podium to send again: neither the store nor the spool takes them"
            );
        }
        for answer in answers {
            let _ = answer.send(Err(Rejection::StoreUnavailable));
        }
    }
}

/// Whoever hung up in the meantime is not told, and the event is durable all the same.
fn answer(answers: Vec<Answer>, receipts: impl Iterator<Item = Receipt>) {
    for (answer, receipt) in answers.into_iter().zip(receipts) {
        let _ = answer.send(Ok(receipt));
    }
}
