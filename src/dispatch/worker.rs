//! The loop of one handler: claim, run, settle.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ahead::Ahead;
use super::held::Held;
use super::in_time::in_time;
use super::run::{Ran, run_in_turn};
use super::trouble::Trouble;
use super::{DELIVERIES_EACH, GRACE, Ready};
use crate::clock::Clock;
use crate::config::Dispatch;
use crate::store::{Claim, Claimed, LeaseToken, Settlement, Store, StoreError};
use crate::telemetry::Chain;

/// The least time between two claims that bring nothing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// A turn takes at least this long, so that what comes in small bits is taken up and settled together; the second is for
/// when there is more to do than was taken up. Whoever comes to a worker at rest does not wait.
const TURNS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(2));

/// With so many commits of events during a turn, events are streaming in. Whoever sends them must not wait for what is done
/// with them, which has time: then a worker rests for as long as its turn took the store.
const STREAM: u64 = 8;
const LONGEST_REST: Duration = Duration::from_millis(200);

/// So many queues are settled in one statement. It holds their locks, and an acceptance may have to wait for one of them.
const SETTLED_TOGETHER: usize = 32;

/// How long to wait before a store that could not settle is asked again.
const SETTLE_AGAIN: Duration = Duration::from_millis(500);

/// Everything that one handler's loop holds.
pub(super) struct Worker {
    ready: Arc<Ready>,
    settings: Dispatch,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    signal: watch::Receiver<u64>,
    /// The word to take up nothing new.
    stop: CancellationToken,
    /// The word to drop what is under way.
    cut: CancellationToken,
    /// Queues that are being run or wait for their turn, and their leases.
    running: JoinSet<Ran>,
    /// A place for each call that may run.
    calls: Arc<Semaphore>,
    ahead: Ahead,
    /// Whether the last claim brought as much as was asked for: there is more.
    is_behind: bool,
    held: Held,
    /// What has ended and is not written yet.
    ended: Vec<Settlement>,
    claiming: Trouble,
    settling: Trouble,
}

impl Worker {
    pub(super) fn new(
        ready: Ready,
        settings: Dispatch,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(ready.concurrency as usize)),
            ahead: Ahead::default(),
            is_behind: false,
            ready: Arc::new(ready),
            settings,
            signal: store.work_signal(),
            store,
            clock,
            stop,
            cut: CancellationToken::new(),
            running: JoinSet::new(),
            held: Held::new(settings.lease),
            ended: Vec::new(),
            claiming: Trouble::default(),
            settling: Trouble::default(),
        }
    }

    /// Works until it is told to stop and everything that it took up is settled.
    pub(super) async fn work(self) {
        let heartbeat = self.held.clone().keep(Arc::clone(&self.store), Arc::clone(&self.clock));
        let impatience = cut_after_grace(self.stop.clone(), self.cut.clone());
        tokio::select! {
            () = self.turns() => {}
            () = heartbeat => {}
            () = impatience => {}
        }
    }

    /// While a settlement or a claim is under way further runs end, and the next settlement takes them all: the
    /// batches grow with the load by themselves.
    async fn turns(mut self) {
        loop {
            let (begun, commits) = (Instant::now(), *self.signal.borrow());
            self.settle().await;
            let stopping = self.stop.is_cancelled();
            // What can't be settled until the grace is over is due again when its lease ends.
            if stopping && self.running.is_empty() && (self.ended.is_empty() || self.cut.is_cancelled()) {
                return;
            }
            let pause = if stopping { SETTLE_AGAIN } else { self.claim().await };
            let worked = begun.elapsed();
            self.wait(pause, stopping).await;
            let is_stream = self.signal.borrow().wrapping_sub(commits) >= STREAM;
            let rest = match (is_stream, self.is_behind) {
                (true, _) => (worked * 2).clamp(TURNS.0, LONGEST_REST),
                (false, true) => TURNS.1,
                (false, false) => TURNS.0,
            };
            tokio::select! {
                () = sleep_until(begun + rest), if !stopping => {}
                () = self.stop.cancelled() => {}
            }
            self.gather();
        }
    }

    /// Takes up as many queues as there is room for; returns how long to wait before there may be more.
    async fn claim(&mut self) -> Duration {
        let room = self.room();
        if room == 0 || !self.ended.is_empty() {
            return SETTLE_AGAIN;
        }
        self.signal.mark_unchanged();
        let now = self.clock.now();
        let claim = Claim {
            handler: self.ready.name.clone(),
            queues: room,
            deliveries_each: DELIVERIES_EACH,
            token: LeaseToken::at(now),
            now,
            until: self.held.end_from(now),
        };
        match in_time(self.store.claim(&claim)).await {
            Ok(claimed) => {
                self.is_behind = claimed.queues.len() >= room as usize
                    || claimed.queues.iter().any(|queue| queue.due.len() >= DELIVERIES_EACH as usize);
                let until_due = claimed.next_due.map(|at| at.duration_since(now));
                self.take_up(&claim, claimed);
                // What is due and was not given is being claimed by another at this moment: no reason to spin.
                until_due
                    .map_or(Duration::MAX, |wait| Duration::try_from(wait).unwrap_or_default())
                    .clamp(SHORTEST_PAUSE, self.settings.poll_interval)
            }
            Err(error) => {
                self.is_behind = false;
                if let Some(left_out) = self.claiming.due(Instant::now()) {
                    let handler = &self.ready.name;
                    tracing::warn!(handler, error = %Chain(&error), left_out, "no work can be claimed");
                }
                self.settings.poll_interval
            }
        }
    }

    fn take_up(&mut self, claim: &Claim, claimed: Claimed) {
        let now = self.clock.now();
        for queue in claimed.queues {
            if !self.held.is_safe(claim.until, now) {
                // The claim took so long that the lease is as good as over: given back untouched.
                self.ended.push(Settlement { lease: queue.lease, attempts: Vec::new(), due_at: now });
                continue;
            }
            let (lease, cut) = (queue.lease.clone(), self.cut.child_token());
            self.held.add(lease.clone(), claim.until, cut.clone());
            let (ready, clock) = (Arc::clone(&self.ready), Arc::clone(&self.clock));
            let run = run_in_turn(queue, Arc::clone(&self.calls), ready, clock, self.stop.clone(), cut);
            // Handlers' panics are caught in there, so one that comes out is a mistake of ours: the queue rests for the
            // time of a lease instead of going round and round.
            let rest = Settlement { lease, attempts: Vec::new(), due_at: claim.until };
            let rest = Ran { settlement: rest, took: Duration::ZERO, bytes: 0 };
            self.running.spawn(AssertUnwindSafe(run).catch_unwind().map(|ended| ended.unwrap_or(rest)));
        }
    }

    /// Waits for whatever comes first: a run that ends, new work, the pause's end, or the word to stop.
    async fn wait(&mut self, pause: Duration, stopping: bool) {
        // What can't be settled yet comes first, and news don't make the store better.
        let listening = !stopping && self.room() > 0 && self.ended.is_empty();
        let pausing = listening || !self.ended.is_empty();
        tokio::select! {
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => self.end(ended),
            Ok(()) = self.signal.changed(), if listening => {}
            () = sleep(pause), if pausing => {}
            () = self.stop.cancelled(), if !stopping => {}
            () = self.cut.cancelled(), if stopping && self.running.is_empty() => {}
        }
    }

    /// Takes what has ended meanwhile.
    fn gather(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.end(ended);
        }
    }

    fn end(&mut self, ended: Result<Ran, JoinError>) {
        let Ok(Ran { settlement, took, bytes }) = ended else { return };
        if !settlement.attempts.is_empty() {
            self.ahead.note(took, bytes);
        }
        self.ended.push(settlement);
    }

    /// Writes what has ended. When the store is away it is kept, and tried again at the next turn.
    async fn settle(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        for some in portions(std::mem::take(&mut self.ended)) {
            self.settle_together(some).await;
        }
    }

    async fn settle_together(&mut self, ended: Vec<Settlement>) {
        match in_time(self.store.settle(&ended)).await {
            Ok(written) => self.report(&ended, &written),
            Err(StoreError::Failed(_)) if ended.len() > 1 => {
                // One that can't be written must not hold up the others.
                for settlement in ended {
                    let alone = [settlement];
                    match in_time(self.store.settle(&alone)).await {
                        Ok(written) => self.report(&alone, &written),
                        Err(error) => self.unsettled(alone, &error),
                    }
                }
            }
            Err(error) => self.unsettled(ended, &error),
        }
    }

    fn unsettled(&mut self, ended: impl IntoIterator<Item = Settlement>, error: &StoreError) {
        let handler = &self.ready.name;
        if let StoreError::Failed(_) = error {
            tracing::error!(handler, error = %Chain(error), "finished work can't be settled: it is done again");
            ended.into_iter().for_each(|settlement| self.held.remove(&settlement.lease));
        } else {
            if let Some(left_out) = self.settling.due(Instant::now()) {
                tracing::warn!(handler, error = %Chain(error), left_out, "finished work can't be settled yet");
            }
            self.ended.extend(ended);
        }
    }

    fn report(&self, settled: &[Settlement], written: &[bool]) {
        for (settlement, written) in settled.iter().zip(written) {
            self.held.remove(&settlement.lease);
            if !written {
                let queue = &settlement.lease.queue;
                tracing::warn!(
                    queue.handler,
                    queue.ordering_key,
                    "a lease ended before its work was settled: it is done again"
                );
            }
        }
    }

    /// For how many more queues there is room.
    fn room(&self) -> u32 {
        let busy = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        self.ahead.queues(self.ready.concurrency).saturating_sub(busy)
    }
}

fn portions(mut ended: Vec<Settlement>) -> Vec<Vec<Settlement>> {
    let mut portions = Vec::new();
    while ended.len() > SETTLED_TOGETHER {
        let rest = ended.split_off(SETTLED_TOGETHER);
        portions.push(std::mem::replace(&mut ended, rest));
    }
    portions.push(ended);
    portions
}

/// Gives calls that are under way at the stop a few seconds, and no more. Never ends by itself.
async fn cut_after_grace(stop: CancellationToken, cut: CancellationToken) {
    stop.cancelled().await;
    sleep(GRACE).await;
    cut.cancel();
    std::future::pending::<()>().await;
}
