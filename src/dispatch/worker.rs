//! The loop of one handler: claim, run, hand over to be settled.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ahead::Ahead;
use super::held::Held;
use super::horizon::Horizon;
use super::run::{Load, Ran, Shared, run_in_turn};
use super::settler::Settler;
use super::tally::Tally;
use super::{GRACE, Ready};
use crate::clock::Clock;
use crate::config::Dispatch;
use crate::store::{Claim, Claimed, LeaseToken, Settlement, Store, in_time};
use crate::telemetry::{Chain, Trouble};

/// The least time between two claims that bring nothing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// There is at least so much time between two claims, so that what comes in small bits is taken up together; the second is
/// for when there is more to do than was taken up. Whoever comes to a worker at rest does not wait.
const TURNS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(2));

/// With so many commits of events meanwhile, events are streaming in. Whoever sends them must not wait for what is done
/// with them, which has time: then claims and settlements rest for as long as they took the store.
pub(super) const STREAM: u64 = 8;
pub(super) const LONGEST_REST: Duration = Duration::from_millis(200);

/// A handler that fails throughout is given what is new so often at most, and so many queues of it.
const NEWS_EVERY: Duration = Duration::from_secs(1);
const NEWS: u32 = 4;

/// Everything that one handler's loop holds.
pub(super) struct Worker {
    shared: Arc<Shared>,
    settings: Dispatch,
    store: Arc<dyn Store>,
    signal: watch::Receiver<u64>,
    /// The word to drop what is under way.
    cut: CancellationToken,
    /// Queues that are being run or wait for their turn, and their leases.
    running: JoinSet<Load>,
    /// Whether work was announced since the last claim, when that was last a reason to claim, and when to call a handler
    /// that fails throughout.
    has_news: bool,
    looked_for_news_at: Instant,
    tried_news_at: Option<Instant>,
    ahead: Ahead,
    /// How much of bodies they have in memory.
    in_hand: usize,
    /// Whether the last claim brought anything.
    brought: bool,
    /// Whether the last claim brought as much as was asked for: there is more.
    is_behind: bool,
    horizon: Horizon,
    held: Held,
    /// Where what has ended goes to be settled, and the word that some of it is.
    ended: UnboundedSender<Settlement>,
    settled: Arc<Notify>,
    claiming: Trouble,
}

impl Worker {
    /// Works until it is told to stop and everything that it took up is settled.
    pub(super) async fn run(
        ready: Arc<Ready>,
        tally: Arc<Tally>,
        settings: Dispatch,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let (held, cut) = (Held::new(settings.lease), CancellationToken::new());
        let (ended, settling) = mpsc::unbounded_channel();
        let settled = Arc::new(Notify::new());
        let heartbeat = held.clone().keep(Arc::clone(&store), Arc::clone(&clock));
        let impatience = cut_after_grace(stop.clone(), cut.clone());
        let breaker = Arc::clone(&tally.breaker);
        let settler = Settler {
            tally,
            handler: ready.name.clone(),
            store: Arc::clone(&store),
            held: held.clone(),
            settled: Arc::clone(&settled),
            signal: store.work_signal(),
            stop: stop.clone(),
            cut: cut.clone(),
            trouble: Mutex::default(),
        };
        let calls = Semaphore::new(ready.concurrency as usize);
        let worker = Self {
            shared: Arc::new(Shared { ready, calls, breaker, clock, stop }),
            has_news: false,
            tried_news_at: None,
            ahead: Ahead::default(),
            in_hand: 0,
            looked_for_news_at: Instant::now(),
            brought: false,
            is_behind: false,
            horizon: Horizon::new(Instant::now()),
            settings,
            signal: store.work_signal(),
            store,
            cut,
            running: JoinSet::new(),
            held,
            ended,
            settled,
            claiming: Trouble::default(),
        };
        // The settler ends when the worker has, and has left it nothing.
        let work = async { tokio::join!(worker.turns(), settler.run(settling)) };
        tokio::select! {
            _ = work => {}
            () = heartbeat => {}
            () = impatience => {}
        }
    }

    async fn turns(mut self) {
        loop {
            let (begun, commits) = (Instant::now(), *self.signal.borrow());
            let stopping = self.shared.stop.is_cancelled();
            if stopping && self.running.is_empty() {
                return;
            }
            let pause = if stopping { Duration::MAX } else { self.claim().await };
            let worked = begun.elapsed();
            self.wait(pause, stopping).await;
            let is_stream = self.signal.borrow().wrapping_sub(commits) >= STREAM;
            let rest = match (is_stream, self.is_behind) {
                (true, _) => (worked * 2).clamp(TURNS.0, LONGEST_REST),
                (false, true) => TURNS.1,
                (false, false) => TURNS.0,
            };
            let is_idle = !is_stream && !self.brought;
            let stop = self.shared.stop.clone();
            tokio::select! {
                () = self.rest(begun + rest, is_idle), if !stopping => {}
                () = stop.cancelled() => {}
            }
            while let Some(ended) = self.running.try_join_next() {
                self.end(&ended);
            }
        }
    }

    /// Rests until then. After a claim that brought nothing, what is new is reason enough to look at once, if the last look
    /// for news was long enough ago.
    async fn rest(&mut self, until: Instant, is_idle: bool) {
        if is_idle {
            let for_news = self.looked_for_news_at + TURNS.0;
            tokio::select! {
                () = sleep_until(until) => {}
                () = sleep_until(for_news.min(until)), if self.has_news => {}
                Ok(()) = self.signal.changed(), if !self.has_news => {
                    self.has_news = true;
                    sleep_until(for_news.min(until)).await;
                }
            }
        } else {
            sleep_until(until).await;
        }
    }

    /// Takes up as many queues as there is room for; returns how long to wait before there may be more.
    async fn claim(&mut self) -> Duration {
        self.has_news |= self.signal.has_changed().unwrap_or_default();
        self.signal.mark_unchanged();
        let now = self.shared.clock.now();
        let due_from = self.horizon.from(Instant::now());
        let (mut is_probe, mut looks_for_news) = (false, true);
        let mut room = self.room();
        let mut deliveries_each = self.ahead.deliveries_each(self.shared.ready.concurrency);
        if let Some(until) = self.shared.breaker.open_until() {
            // A probe, and the only one.
            let room_for_all = room;
            (room, deliveries_each) = (room.min(u32::from(self.running.is_empty())), 1);
            let wait = until.saturating_duration_since(Instant::now());
            let wait_for_news =
                self.tried_news_at.map_or(Duration::ZERO, |at| NEWS_EVERY.saturating_sub(at.elapsed()));
            if self.has_news && wait_for_news.is_zero() {
                // What is new may be what it can do, while all that failed has been due for longer. Not one alone: the
                // newest may be what was claimed when the breaker opened, and never tried.
                (is_probe, room) = (true, room_for_all.min(NEWS));
                self.tried_news_at = Some(Instant::now());
            } else if !wait.is_zero() {
                return if self.has_news { wait.min(wait_for_news) } else { wait };
            } else {
                // What was probed before comes first here: the news waits for its own turn.
                looks_for_news = false;
            }
        }
        if room == 0 {
            return self.settings.poll_interval;
        }
        if looks_for_news && std::mem::take(&mut self.has_news) {
            self.looked_for_news_at = Instant::now();
        }
        let claim = Claim {
            handler: self.shared.ready.name.clone(),
            queues: room,
            deliveries_each,
            token: LeaseToken::at(now),
            now,
            due_from,
            news_only: is_probe,
            until: self.held.end_from(now),
        };
        let begun = Instant::now();
        match in_time(self.store.claim(&claim)).await {
            Ok(claimed) => {
                self.brought = !claimed.queues.is_empty();
                let longest_due = claimed.queues.first().map(|queue| queue.due_at);
                if !is_probe {
                    self.horizon.note(claim.due_from, longest_due, now, begun.elapsed(), Instant::now());
                }
                self.is_behind = claimed.queues.len() >= room as usize
                    || claimed.queues.iter().any(|queue| queue.due.len() >= deliveries_each as usize);
                let until_due = claimed.next_due.map(|at| at.duration_since(now));
                self.take_up(&claim, claimed, is_probe);
                let unseen = claim.due_from.map(|_| self.horizon.longest_rest(Instant::now()));
                // What is due and was not given is being claimed by another at this moment: no reason to spin.
                until_due
                    .map_or(Duration::MAX, |wait| Duration::try_from(wait).unwrap_or_default())
                    .min(unseen.unwrap_or(Duration::MAX))
                    .clamp(SHORTEST_PAUSE, self.settings.poll_interval)
            }
            Err(error) => {
                self.is_behind = false;
                self.has_news |= looks_for_news;
                if let Some(left_out) = self.claiming.due(Instant::now()) {
                    let handler = &self.shared.ready.name;
                    tracing::warn!(handler, error = %Chain(&error), left_out, "no work can be claimed");
                }
                self.settings.poll_interval
            }
        }
    }

    fn take_up(&mut self, claim: &Claim, claimed: Claimed, is_probe: bool) {
        let now = self.shared.clock.now();
        for queue in claimed.queues {
            let (lease, cut) = (queue.lease.clone(), self.cut.child_token());
            self.held.add(lease.clone(), claim.until, cut.clone());
            if !self.held.is_safe(claim.until, now) {
                // The claim took so long that the lease is as good as over.
                hand_over(&self.held, &self.ended, Settlement::untouched(lease, queue.due_at));
                continue;
            }
            let bytes = queue.bytes();
            self.in_hand += bytes;
            let run = run_in_turn(queue, Arc::clone(&self.shared), cut, is_probe);
            // Handlers' panics are caught in there, so one that comes out is a mistake of ours: the queue rests for the
            // time of a lease instead of going round and round.
            let rest = Settlement::untouched(lease, claim.until);
            let rest = Ran { settlement: rest, load: Load { bytes, ..Load::default() } };
            // It hands over by itself: the worker may be waiting for the store.
            let (held, settler) = (self.held.clone(), self.ended.clone());
            self.running.spawn(AssertUnwindSafe(run).catch_unwind().map(move |ended| {
                let Ran { settlement, load } = ended.unwrap_or(rest);
                hand_over(&held, &settler, settlement);
                load
            }));
        }
    }

    /// Waits for whatever comes first: a run that ends, something settled, new work, the pause's end, or the word to stop.
    async fn wait(&mut self, pause: Duration, stopping: bool) {
        let listening = !stopping && self.room() > 0 && !self.has_news;
        tokio::select! {
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => self.end(&ended),
            () = self.settled.notified(), if !stopping => {}
            Ok(()) = self.signal.changed(), if listening => self.has_news = true,
            () = sleep(pause), if !stopping => {}
            () = self.shared.stop.cancelled(), if !stopping => {}
        }
    }

    fn end(&mut self, ended: &Result<Load, JoinError>) {
        let Ok(Load { took, calls, deliveries, bytes, was_refused }) = *ended else { return };
        self.in_hand -= bytes;
        if calls > 0 {
            self.ahead.note(took, calls, bytes, deliveries);
        }
        // It may have been claimed as news, and nothing announces it again.
        self.has_news |= was_refused;
    }

    /// For how many more queues there is room. While so many are being run, as many again may wait to be settled; when
    /// more do, the store does not keep up, or is away.
    fn room(&self) -> u32 {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let queues = self.ahead.queues(self.shared.ready.concurrency, self.in_hand);
        let running = queues.saturating_sub(count(self.running.len()));
        running.min(queues.saturating_mul(2).saturating_sub(count(self.held.number())))
    }
}

/// The settler only ends before this when it is too late: then the lease ends by itself.
fn hand_over(held: &Held, settler: &UnboundedSender<Settlement>, settlement: Settlement) {
    held.note_end(&settlement.lease);
    let _ = settler.send(settlement);
}

/// Gives calls that are under way at the stop a few seconds, and no more. Never ends by itself.
async fn cut_after_grace(stop: CancellationToken, cut: CancellationToken) {
    stop.cancelled().await;
    sleep(GRACE).await;
    cut.cancel();
    std::future::pending::<()>().await;
}
