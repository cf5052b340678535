//! Making a batch durable: in the store or, when that is away, in the spool.

mod receipt;

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

pub(super) use self::receipt::Receipt;
use super::lanes::Waiting;
use super::rejection::Rejection;
use crate::model::NewEvent;
use crate::spool::{Depth, Spool, SpoolError};
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
}

type Answer = oneshot::Sender<Result<Receipt, Rejection>>;

impl Commit {
    pub(super) const fn new(store: Arc<dyn Store>, spool: Spool, deadline: Duration) -> Self {
        Self { store, spool, deadline }
    }

    /// Makes a batch durable and answers each.
    ///
    /// As long as anything is in the spool, what is newer goes there, too: else an event could come into the store before
    /// an older one of its conversation. A lane runs one batch after another, so nothing of a lane is on its way to the
    /// store while something newer of it is appended.
    pub(super) async fn run(&self, batch: Vec<Waiting>) {
        let deadline = batch.first().map_or_else(Instant::now, |first| first.since) + self.deadline;
        let (mut events, mut answers): (Vec<NewEvent>, Vec<Answer>) =
            batch.into_iter().map(|waiting| (waiting.event, waiting.answer)).unzip();
        while !events.is_empty() {
            if self.spool_is_empty(deadline).await {
                match self.store(&events, deadline).await {
                    Ok(acceptances) => {
                        self.spool.note_taken();
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
            // From before it is tried: what is drained from here on makes room.
            let mut depth = self.spool.watch();
            let bytes = depth.borrow_and_update().bytes;
            match self.spool.append(events.iter().map(NewEvent::arrival).collect()).await {
                Ok(count) => {
                    self.spool.note_taken();
                    metrics::committed(count, "spool");
                    let kept = events.drain(..count).map(|event| Receipt::spooled(event.record.id));
                    answer(answers.drain(..count), kept);
                }
                Err(error) if error.is_for_want_of_room() && shrinks(&mut depth, bytes, deadline).await => {}
                // What comes behind it may be smaller.
                Err(error @ SpoolError::Full { .. }) => {
                    events.remove(0);
                    self.refuse(answers.drain(..1), &error);
                }
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

    async fn store(&self, events: &[NewEvent], deadline: Instant) -> Result<Vec<Acceptance>, String> {
        if deadline <= Instant::now() {
            // What is begun only to be given up at once takes a connection, and may be accepted all the same.
            return Err("they have waited for it as long as they may".to_owned());
        }
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

    fn refuse(&self, answers: impl IntoIterator<Item = Answer>, error: &SpoolError) {
        // Told once, and not for every batch.
        if self.spool.note_refusal() {
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

/// Whether the spool, which had so many `bytes`, has fewer before the deadline.
async fn shrinks(depth: &mut watch::Receiver<Depth>, mut bytes: u64, deadline: Instant) -> bool {
    let shrinks = depth.wait_for(|now| std::mem::replace(&mut bytes, now.bytes) > now.bytes);
    matches!(timeout_at(deadline, shrinks).await, Ok(Ok(_)))
}

/// Whoever hung up in the meantime is not told, and the event is durable all the same.
fn answer(answers: impl IntoIterator<Item = Answer>, receipts: impl Iterator<Item = Receipt>) {
    for (answer, receipt) in answers.into_iter().zip(receipts) {
        let _ = answer.send(Ok(receipt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};
    use crate::ingest::decode::again;
    use crate::ingest::scripted::Scripted;
    use crate::model::{Arrival, Content, EventId, Origin};

    fn event(name: &str) -> NewEvent {
        let now = SystemClock.now();
        let body = format!(r#"{{"metadata":{{"eventType":"call.missed","eventUid":"{name}"}}}}"#);
        let content = Content { headers: Vec::new(), body: body.into() };
        let (id, source) = (EventId::at(now), "default".to_owned());
        let arrival = Arrival { id, source, received_at: now, verified_by: None, content };
        again(arrival, Origin::Webhook, &[], now).0
    }

    #[tokio::test]
    async fn what_has_waited_too_long_for_the_store_is_not_brought_there_any_more() {
        let (folder, store) = (tempfile::tempdir().unwrap(), Arc::new(Scripted::default()));
        let spool = Spool::open(folder.path(), 1024 * 1024).await.unwrap();
        let patience = Duration::from_secs(3);
        let commit = Commit::new(Arc::clone(&store) as Arc<dyn Store>, spool.clone(), patience);
        for (waited, outcome) in [(Duration::ZERO, "accepted"), (patience, "spooled")] {
            let (answer, answered) = oneshot::channel();
            let since = Instant::now().checked_sub(waited).unwrap();
            commit.run(vec![Waiting { event: event(outcome), since, answer }]).await;
            assert_eq!(answered.await.unwrap().unwrap().outcome(), outcome);
        }
        assert_eq!((store.accepted().len(), spool.depth().events), (1, 1));
    }
}
