//! Releasing: what failed verification is verified again, with the secrets of today.

use std::time::Duration;

use tokio::time::Instant;

use crate::ingest::Ingest;
use crate::ingest::receive::Received;
use crate::ingest::verify::verify;
use crate::model::{QuarantineFilter, QuarantinedRequest, Released};
use crate::store::StoreError;

/// How many requests are read at a time: they are held in memory with their bodies.
const PAGE: u32 = 16;

/// How long one release may go on, so that it is answered before the listener gives up on it.
const WITHIN: Duration = Duration::from_secs(20);

impl Ingest {
    /// Verifies requests in quarantine again, oldest first, with the secrets of today and at the moment when they
    /// arrived. Those that pass become events one after another, on the way that every request goes, and leave the quarantine
    /// once they are durable. An event counts from its release, so that it is kept and tried as long as any other.
    ///
    /// Wherever this is cut off, another release goes on: what was accepted and has not left yet is a duplicate then. Of
    /// several at once each accepts in order, so the first to accept an event has seen all before it accepted.
    ///
    /// # Errors
    /// When the store fails. What was released by then stays released.
    pub async fn release_from_quarantine(&self, filter: &QuarantineFilter) -> Result<Released, StoreError> {
        let deadline = Instant::now() + WITHIN;
        // What arrives from now on was verified with the secrets of today.
        let now = self.clock.now();
        let received_before = Some(filter.received_before.map_or(now, |before| before.min(now)));
        let filter = QuarantineFilter { received_before, ..filter.clone() };
        let mut count = Released { complete: true, ..Released::default() };
        let mut after = None;
        while count.complete {
            let page = self.store.oldest_quarantined(&filter, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.request.id);
            let mut done = Vec::with_capacity(page.len());
            let mut outcome = Ok(());
            for kept in page {
                if Instant::now() > deadline {
                    count.complete = false;
                    break;
                }
                let id = kept.request.id;
                match self.release_one(kept, &mut count).await {
                    Ok(true) => done.push(id),
                    Ok(false) => {}
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            if !done.is_empty() {
                self.store.forget_quarantined(&done).await?;
            }
            outcome?;
        }
        tracing::info!(
            examined = count.examined,
            released = count.released,
            duplicates = count.duplicates,
            still_unverified = count.still_unverified,
            complete = count.complete,
            "requests in quarantine were verified again"
        );
        Ok(count)
    }

    /// Whether the request is an event now.
    async fn release_one(&self, kept: QuarantinedRequest, count: &mut Released) -> Result<bool, StoreError> {
        let QuarantinedRequest { request, content } = kept;
        count.examined += 1;
        let verified = self.sources.get(&request.source).and_then(|source| {
            let received = Received { source, content, at: request.received_at };
            verify(received, self.window).ok()
        });
        let Some(verified) = verified else {
            count.still_unverified += 1;
            return Ok(false);
        };
        let accepted = self.accept(verified.arriving_at(self.clock.now())).await;
        // The journey has logged what was wrong.
        let receipt = accepted.map_err(|rejection| StoreError::Unavailable(rejection.to_string().into()))?;
        if receipt.is_new() {
            count.released += 1;
        } else {
            count.duplicates += 1;
        }
        Ok(true)
    }
}
