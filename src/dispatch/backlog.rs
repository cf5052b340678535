//! What waits in the database, for whoever monitors it: deliveries, what is yet to be mirrored, the quarantine. Every process
//! measures it, so that monitoring knows when those are gone that should do the work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::{Backlog, InQuarantine};
use crate::store::{Database, StoreError, in_time};
use crate::telemetry::{Chain, metrics, surviving};

/// How often it is looked at: nobody's monitoring asks more often.
const EVERY: Duration = Duration::from_secs(15);

/// Where a look takes the store long, the rest after it is so many times as long, and no longer than that: a million queues take
/// seconds, and so does a store that is away.
const REST: u32 = 20;
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Looks now and then until `stop` is cancelled.
pub async fn measure(store: Arc<dyn Database>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut seen = Seen::default();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let looked = surviving("measuring what waits", seen.look(&*store, &*clock)).await;
        if let Some(Err(error)) = looked {
            tracing::debug!(error = %Chain(&error), "what waits can't be measured now");
            // What was open is taken to be so still: a backlog in which the look takes too long is not gone.
            seen.tell_oldest(clock.now());
        }
        tokio::select! {
            () = sleep((begun.elapsed() * REST).clamp(EVERY, LONGEST_REST)) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Who and what was seen before. What has nothing left is not among what the store tells of, and must be told to have none.
#[derive(Default)]
struct Seen {
    handlers: BTreeSet<String>,
    sources: BTreeSet<String>,
    oldest: BTreeMap<String, Timestamp>,
}

impl Seen {
    async fn look(&mut self, store: &dyn Database, clock: &dyn Clock) -> Result<(), StoreError> {
        let oldest = in_time(store.mirror_status()).await?.oldest_at;
        metrics::mirror_lag(oldest.map_or(0.0, |at| age(at, clock.now())));
        self.see_quarantine(in_time(store.in_quarantine()).await?);
        let (backlogs, paused) = (in_time(store.backlog()).await?, in_time(store.paused()).await?);
        self.see_handlers(&backlogs, &paused, clock.now());
        // Last: this one may take too long.
        self.oldest = in_time(store.oldest_open()).await?.into_iter().collect();
        self.tell_oldest(clock.now());
        Ok(())
    }

    fn see_quarantine(&mut self, quarantine: Vec<InQuarantine>) {
        let mut now: BTreeMap<_, _> = self.sources.iter().map(|source| (source.clone(), (0, 0))).collect();
        now.extend(quarantine.into_iter().map(|one| (one.source, (one.held, one.rejected))));
        for (source, (held, rejected)) in now {
            metrics::in_quarantine(&source, held, rejected);
            self.sources.insert(source);
        }
    }

    fn see_handlers(&mut self, backlogs: &[Backlog], paused: &[(String, Timestamp)], now: Timestamp) {
        self.handlers.extend(backlogs.iter().map(|backlog| backlog.handler.clone()));
        self.handlers.extend(paused.iter().map(|(handler, _)| handler.clone()));
        for handler in &self.handlers {
            let backlog = backlogs.iter().find(|backlog| backlog.handler == *handler);
            let due = backlog.and_then(|backlog| backlog.oldest_due_at).map_or(0.0, |at| age(at, now));
            let (open, dead, parked) =
                backlog.map_or((0, 0, 0), |backlog| (backlog.open, backlog.dead, backlog.parked));
            metrics::backlog(handler, open, dead, parked, due);
            metrics::paused(handler, paused.iter().any(|(paused, _)| paused == handler));
        }
    }

    fn tell_oldest(&self, now: Timestamp) {
        for handler in &self.handlers {
            metrics::oldest_open(handler, self.oldest.get(handler).map_or(0.0, |at| age(*at, now)));
        }
    }
}

/// How long ago that was, in seconds.
fn age(at: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(at).as_secs_f64().max(0.0)
}
