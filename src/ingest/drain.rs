//! The way from the spool into the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::decode::again;
use crate::model::{Arrival, NewEvent, Subscription};
use crate::spool::{Spool, SpoolError};
use crate::store::{Store, StoreError};
use crate::telemetry::Chain;

/// How many events are brought to the store at once.
const BATCH: usize = 500;
/// How long the store may take for them. Nobody waits for it.
const WITHIN: Duration = Duration::from_secs(10);
/// How soon a store that is away is asked again, at first and at the most.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often the log tells that the store is still away.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// How often to look for what other processes have left.
const ADOPT_EVERY: Duration = Duration::from_secs(60);

/// Brings what is in the spool to the store, in its order.
pub(super) struct Drain {
    pub(super) spool: Spool,
    pub(super) store: Arc<dyn Store>,
    /// Who wants to hear of what, today: an event in the spool has no deliveries yet.
    pub(super) subscriptions: Arc<[Subscription]>,
}

impl Drain {
    /// Goes on until told to stop. What is left then is there at the next start.
    pub(super) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            let mut depth = self.spool.watch();
            loop {
                if timeout(ADOPT_EVERY, depth.wait_for(|depth| depth.events > 0)).await.is_ok() {
                    self.empty().await;
                } else if let Err(error) = self.spool.adopt().await {
                    tracing::warn!(error = %Chain(&error), "what other processes left in the spool can't be taken over");
                }
            }
        })
        .await;
    }

    /// Until nothing is left.
    async fn empty(&self) {
        let start = Instant::now();
        let (mut told, mut wait, mut events) = (start, WAITS.0, 0);
        while !self.spool.is_empty() {
            match self.step().await {
                Ok(moved) => {
                    events += moved;
                    wait = WAITS.0;
                    continue;
                }
                Err(reason) if told == start || told.elapsed() >= TELL_EVERY => {
                    told = Instant::now();
                    let depth = self.spool.depth();
                    tracing::warn!(
                        reason,
                        events = depth.events,
                        bytes = depth.bytes,
                        oldest = depth.oldest.map(tracing::field::display),
                        "events wait in the spool for the store"
                    );
                }
                Err(_) => {}
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
        }
        let seconds = start.elapsed().as_secs();
        tracing::info!(events, seconds, "the spool is empty again: all that was in it is in the store");
    }

    /// Brings the first few to the store; says how many.
    async fn step(&self) -> Result<usize, String> {
        let arrivals = self.spool.first(BATCH).await.map_err(|error| told(&error))?;
        let events: Vec<NewEvent> =
            arrivals.iter().map(|arrival| again(arrival.clone(), &self.subscriptions).into_new()).collect();
        match self.accept(&events).await {
            Ok(()) => {}
            Err(StoreError::Unavailable(error)) => return Err(Chain(&*error).to_string()),
            Err(error) => self.one_by_one(arrivals, &events, &error).await?,
        }
        // Those that were removed before a failure are in the store, too.
        self.spool.remove(events.len()).await.map_err(|error| told(&error))?;
        Ok(events.len())
    }

    async fn accept(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        match timeout(WITHIN, self.store.accept(events)).await {
            Ok(accepted) => accepted.map(drop),
            Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
        }
    }

    /// The store refuses a batch for good. If it takes others, the event that it does not take is set aside: it must not
    /// hold up all that came after it. If it takes none, the store is what is wrong.
    async fn one_by_one(
        &self,
        arrivals: Vec<Arrival>,
        events: &[NewEvent],
        error: &StoreError,
    ) -> Result<(), String> {
        let mut refused = Vec::new();
        for (arrival, event) in arrivals.into_iter().zip(events) {
            match self.accept(std::slice::from_ref(event)).await {
                Ok(()) => {}
                Err(StoreError::Unavailable(error)) => return Err(Chain(&*error).to_string()),
                Err(error) => refused.push((arrival, error)),
            }
        }
        if refused.len() == events.len() {
            return Err(Chain(error).to_string());
        }
        for (arrival, error) in refused {
            let id = arrival.id;
            let file = self.spool.set_aside(arrival).await.map_err(|error| told(&error))?;
            tracing::error!(
                %id,
                file,
                error = %Chain(&error),
                "the store takes other events and not this one: it is set aside for a person"
            );
        }
        Ok(())
    }
}

fn told(error: &SpoolError) -> String {
    Chain(error).to_string()
}
