//! The one that writes to the quarantine: whatever waits, together.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Fate, Waiting};
use crate::model::{QuarantineBounds, QuarantinedRequest, Source};
use crate::store::{Store, StoreError};
use crate::telemetry::{Chain, metrics, surviving};

/// How many requests are written together.
const BATCH: usize = 64;

/// The first wait before a store that is unavailable is asked again, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// How often the log hears of it, at the most: a stream whose secret is wrong brings many requests a second.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Writes what a [`Quarantine`](super::Quarantine) is given.
pub struct QuarantineWriter {
    waiting: mpsc::Receiver<Waiting>,
    bounds: QuarantineBounds,
    sources: watch::Receiver<Arc<[Source]>>,
    deadline: Duration,
    store: Arc<dyn Store>,
    untold: Tally,
    told_at: Option<Instant>,
}

/// What the log has not heard of yet.
#[derive(Default)]
struct Tally {
    held: usize,
    without_room: usize,
    lost: usize,
}

impl QuarantineWriter {
    pub(super) fn new(
        waiting: mpsc::Receiver<Waiting>,
        bounds: QuarantineBounds,
        sources: watch::Receiver<Arc<[Source]>>,
        deadline: Duration,
        store: Arc<dyn Store>,
    ) -> Self {
        Self { waiting, bounds, sources, deadline, store, untold: Tally::default(), told_at: None }
    }

    /// Writes until `stop` is cancelled, and then what is still waiting. It is to be cancelled when no request is under
    /// way any more: those that come later are refused.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = self.waiting.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    // Whoever waits for a batch that came to grief is told to try again.
                    surviving("writing to the quarantine", self.write(mem::take(&mut batch))).await;
                }
                () = stop.cancelled(), if !self.waiting.is_closed() => self.waiting.close(),
            }
        }
        self.tell();
    }

    async fn write(&mut self, mut batch: Vec<Waiting>) {
        // Whoever gave up has told Podium to send it again.
        batch.retain(|waiting| waiting.answer.as_ref().is_none_or(|answer| !answer.is_closed()));
        if batch.is_empty() {
            return;
        }
        let mut requests = Vec::with_capacity(batch.len());
        let mut others = Vec::with_capacity(batch.len());
        for Waiting { request, answer, _room } in batch {
            requests.push(request);
            others.push((answer, _room));
        }
        let fates = self.keep(&requests).await;
        for ((answer, _room), fate) in others.into_iter().zip(fates) {
            match fate {
                Fate::Kept if answer.is_some() => self.untold.held += 1,
                Fate::NoRoom if answer.is_some() => self.untold.without_room += 1,
                Fate::StoreUnavailable => self.untold.lost += 1,
                _ => {}
            }
            if let Some(answer) = answer {
                // If it has given up by now, it comes again, and is a duplicate when both are released.
                let _ = answer.send(fate);
            }
        }
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_EVERY) {
            self.tell();
        }
    }

    async fn keep(&self, requests: &[QuarantinedRequest]) -> Vec<Fate> {
        let waits =
            ExponentialBuilder::new().with_min_delay(WAITS.0).with_max_delay(WAITS.1).without_max_times();
        // Where there are others, forged requests to one source leave room for theirs.
        let has_several = self.sources.borrow().len() > 1;
        let bounds = if has_several { self.bounds.half_each() } else { self.bounds };
        let keeping = (|| self.store.quarantine(requests, bounds))
            .retry(waits)
            .when(|error| matches!(error, StoreError::Unavailable(_)));
        match timeout(self.deadline, keeping).await {
            Ok(Ok(kept)) => {
                for (kept, _) in requests.iter().zip(&kept).filter(|(_, is_kept)| **is_kept) {
                    metrics::quarantined(&kept.request.source);
                }
                kept.into_iter().map(|kept| if kept { Fate::Kept } else { Fate::NoRoom }).collect()
            }
            Ok(Err(error)) => {
                tracing::error!(error = %Chain(&error), "the quarantine can't be written to");
                vec![Fate::StoreUnavailable; requests.len()]
            }
            Err(_elapsed) => vec![Fate::StoreUnavailable; requests.len()],
        }
    }

    fn tell(&mut self) {
        let Tally { held, without_room, lost } = mem::take(&mut self.untold);
        if held > 0 {
            tracing::warn!(
                held,
                "requests that failed verification are held: release them when the secret is right"
            );
        }
        if without_room > 0 {
            tracing::warn!(
                without_room,
                "the quarantine is full, or the share of a source is: requests that were to be held are rejected"
            );
        }
        if lost > 0 {
            tracing::warn!(lost, "requests that failed verification could not be kept: the store is away");
        }
        if held + without_room + lost > 0 {
            self.told_at = Some(Instant::now());
        }
    }
}
