//! The leases that a worker holds, and the signs of life that keep them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Lease, Store};
use crate::telemetry::{Chain, Trouble};

/// Signs of life in a lease's time. Two or three may fail before the lease is given up.
const BEATS: u32 = 5;

/// The leases of one worker. Whoever works under one watches its token: it is cancelled before the lease can end, so that
/// no two ever work on a queue at once, as long as the processes' clocks differ by less than a fifth of a lease.
#[derive(Clone)]
pub(super) struct Held {
    leases: Arc<Mutex<HashMap<Lease, Until>>>,
    lasting: Duration,
}

struct Until {
    end: Timestamp,
    cut: CancellationToken,
    /// Whether the work under it has ended, and only waits to be settled: then there is nothing to cut off.
    has_ended: bool,
}

impl Held {
    /// No leases yet; each will last so long.
    pub(super) fn new(lasting: Duration) -> Self {
        Self { leases: Arc::default(), lasting }
    }

    /// When a lease that is taken or renewed now ends.
    pub(super) fn end_from(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lasting).unwrap_or(Timestamp::MAX)
    }

    /// Whether a lease that ends then is long enough to begin with.
    pub(super) fn is_safe(&self, end: Timestamp, now: Timestamp) -> bool {
        // The next beat comes after one interval and may take another to fail.
        now.checked_add(self.beat() * 2).is_ok_and(|notice| notice < end)
    }

    /// Holds a lease; `cut` is cancelled when it is lost.
    pub(super) fn add(&self, lease: Lease, end: Timestamp, cut: CancellationToken) {
        self.locked().insert(lease, Until { end, cut, has_ended: false });
    }

    /// Notes that the work under it has ended. It is held until that is settled.
    pub(super) fn note_end(&self, lease: &Lease) {
        if let Some(until) = self.locked().get_mut(lease) {
            until.has_ended = true;
        }
    }

    /// Holds it no longer.
    pub(super) fn remove(&self, lease: &Lease) {
        self.locked().remove(lease);
    }

    /// How many it holds.
    pub(super) fn number(&self) -> usize {
        self.locked().len()
    }

    /// Shows signs of life until it is dropped. It runs beside the worker, which may be waiting for the store.
    pub(super) async fn keep(self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) {
        let mut beats = interval(self.beat());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = Trouble::default();
        loop {
            beats.tick().await;
            if let Err(reason) = self.renew(&*store, &*clock).await
                && let Some(left_out) = trouble.due(Instant::now())
            {
                tracing::warn!(error = reason, left_out, "leases can't be renewed");
            }
            self.cut_unsafe(clock.now());
        }
    }

    fn beat(&self) -> Duration {
        self.lasting / BEATS
    }

    /// Renews every lease; the error says why that can't be done now.
    async fn renew(&self, store: &dyn Store, clock: &dyn Clock) -> Result<(), String> {
        let leases: Vec<Lease> = self.locked().keys().cloned().collect();
        if leases.is_empty() {
            return Ok(());
        }
        let end = self.end_from(clock.now());
        let kept = match timeout(self.beat(), store.renew(&leases, end)).await {
            Ok(renewed) => renewed.map_err(|error| Chain(&error).to_string())?,
            Err(_elapsed) => return Err("the store does not answer".to_owned()),
        };
        let kept: HashSet<&Lease> = kept.iter().collect();
        let mut held = self.locked();
        for lease in &leases {
            // One that was settled meanwhile is neither kept nor lost.
            let Some(until) = held.get_mut(lease) else { continue };
            if kept.contains(lease) {
                until.end = end;
            } else {
                until.cut.cancel();
            }
        }
        Ok(())
    }

    fn cut_unsafe(&self, now: Timestamp) {
        for (lease, until) in self.locked().iter() {
            if !until.has_ended && !self.is_safe(until.end, now) && !until.cut.is_cancelled() {
                tracing::warn!(
                    lease.queue.handler,
                    lease.queue.ordering_key,
                    "work is cut off: its lease can't be kept"
                );
                until.cut.cancel();
            }
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Lease, Until>> {
        // Nothing panics under the lock; if it did, the leases would still be what they are.
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LeaseToken, QueueRef};

    #[test]
    fn only_what_is_under_way_is_cut_off() {
        let (held, begun) = (Held::new(Duration::from_secs(60)), Timestamp::UNIX_EPOCH);
        let cut = |key: &str| {
            let queue = QueueRef { handler: "crm".to_owned(), ordering_key: key.to_owned() };
            let (lease, cut) = (Lease { queue, token: LeaseToken::at(begun) }, CancellationToken::new());
            held.add(lease.clone(), held.end_from(begun), cut.clone());
            (lease, cut)
        };
        let ((_, under_way), (ended_lease, ended)) = (cut("a"), cut("b"));
        held.note_end(&ended_lease);
        held.cut_unsafe(begun);
        assert!(!under_way.is_cancelled());
        held.cut_unsafe(held.end_from(begun));
        assert!(under_way.is_cancelled());
        assert!(!ended.is_cancelled());
    }
}
