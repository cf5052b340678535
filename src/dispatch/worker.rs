//! The loop of one handler: claim, run, settle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::run::run;
use super::{DELIVERIES_EACH, Ready};
use crate::clock::Clock;
use crate::config::Dispatch;
use crate::store::{Claim, Lease, LeaseToken, Settlement, Store};
use crate::telemetry::Chain;

/// The least time between two claims that bring nothing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// Everything that one handler's loop holds.
pub(super) struct Worker {
    ready: Arc<Ready>,
    settings: Dispatch,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    signal: watch::Receiver<u64>,
    /// Queues that are being run.
    running: JoinSet<Settlement>,
    /// Their leases, and how to end a run whose lease is lost.
    held: HashMap<Lease, AbortHandle>,
    /// What has ended and is not written yet.
    ended: Vec<Settlement>,
    /// When to show a sign of life.
    heartbeat: Interval,
}

impl Worker {
    pub(super) fn new(
        ready: Ready,
        settings: Dispatch,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        let mut heartbeat = interval(settings.lease / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ready: Arc::new(ready),
            settings,
            signal: store.work_signal(),
            store,
            clock,
            stop,
            running: JoinSet::new(),
            held: HashMap::new(),
            ended: Vec::new(),
            heartbeat,
        }
    }

    /// Works until it is told to stop and everything that it took up is settled.
    ///
    /// While a settlement or a claim is under way further runs end, and the next settlement takes them all: the
    /// batches grow with the load by themselves.
    pub(super) async fn work(mut self) {
        loop {
            self.settle().await;
            let stopping = self.stop.is_cancelled();
            if stopping && self.running.is_empty() {
                // What could not be settled now is due again when its lease ends.
                return;
            }
            let pause = if stopping { Duration::MAX } else { self.claim().await };
            self.wait(pause).await;
        }
    }

    /// Takes up as many queues as there is room for; returns how long to wait before there may be more.
    async fn claim(&mut self) -> Duration {
        let room = (self.ready.concurrency as usize).saturating_sub(self.held.len());
        if room == 0 || !self.ended.is_empty() {
            return self.settings.poll_interval;
        }
        self.signal.mark_unchanged();
        let now = self.clock.now();
        let claim = Claim {
            handler: self.ready.name.clone(),
            queues: u32::try_from(room).unwrap_or(u32::MAX),
            deliveries_each: DELIVERIES_EACH,
            token: LeaseToken::at(now),
            now,
            until: self.lease_end(now),
        };
        let claimed = match self.store.claim(&claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(handler = self.ready.name, error = %Chain(&error), "no work can be claimed");
                return self.settings.poll_interval;
            }
        };
        if self.held.is_empty() {
            // The time without work is no time without a sign of life.
            self.heartbeat.reset();
        }
        for queue in claimed.queues {
            let lease = queue.lease.clone();
            let run = run(queue, Arc::clone(&self.ready), Arc::clone(&self.clock), self.stop.clone());
            self.held.insert(lease, self.running.spawn(run));
        }
        let until_due =
            claimed.next_due.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        // What is due and was not given is being claimed by another at this moment: no reason to spin.
        until_due.unwrap_or(Duration::MAX).clamp(SHORTEST_PAUSE, self.settings.poll_interval)
    }

    /// Waits for whatever comes first: a run that ends, new work, the pause's end, or the word to stop.
    async fn wait(&mut self, pause: Duration) {
        let has_room = self.held.len() < self.ready.concurrency as usize;
        let stopping = self.stop.is_cancelled();
        tokio::select! {
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => self.note(ended),
            _ = self.heartbeat.tick(), if !self.held.is_empty() => self.renew().await,
            Ok(()) = self.signal.changed(), if has_room && !stopping => {}
            () = sleep(pause), if has_room && !stopping => {}
            () = self.stop.cancelled(), if !stopping => {}
        }
        while let Some(ended) = self.running.try_join_next() {
            self.note(ended);
        }
        self.held.retain(|_, run| !run.is_finished());
    }

    fn note(&mut self, ended: Result<Settlement, tokio::task::JoinError>) {
        match ended {
            Ok(settlement) => self.ended.push(settlement),
            // Its lease was lost, so another has the queue and there is nothing to settle.
            Err(error) if error.is_cancelled() => {}
            // Handlers' panics are caught, so this is a mistake of ours; the queue is due again when its lease ends.
            Err(error) => tracing::error!(%error, "a run of a queue ended by itself"),
        }
    }

    /// Writes what has ended. When the store is away it is kept, and tried again at the next turn.
    async fn settle(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        match self.store.settle(&self.ended).await {
            Ok(written) => {
                for (settlement, _) in self.ended.drain(..).zip(written).filter(|(_, written)| !written) {
                    let queue = &settlement.lease.queue;
                    tracing::warn!(
                        queue.handler,
                        queue.ordering_key,
                        "a lease ended before its work was settled: it is done again"
                    );
                }
            }
            Err(error) => {
                tracing::warn!(handler = self.ready.name, error = %Chain(&error), "finished work can't be settled yet");
            }
        }
    }

    /// Shows a sign of life for every queue that is held.
    async fn renew(&mut self) {
        let leases: Vec<Lease> = self.held.keys().cloned().collect();
        match self.store.renew(&leases, self.lease_end(self.clock.now())).await {
            Ok(kept) => {
                for lost in leases.iter().filter(|lease| !kept.contains(lease)) {
                    if let Some(run) = self.held.remove(lost) {
                        run.abort();
                    }
                }
            }
            Err(error) => {
                tracing::warn!(handler = self.ready.name, error = %Chain(&error), "leases can't be renewed");
            }
        }
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.settings.lease).unwrap_or(Timestamp::MAX)
    }
}
