//! Replays of many deliveries: a few at a time, by one process at a time, until they are through.
//!
//! How far a replay is stands in the store, with what it has opened: whichever process takes it up next goes on from there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::Replay;
use crate::store::{LeaseToken, Portion, ReplayLease, Store, StoreError, in_time};
use crate::telemetry::{Chain, Trouble, surviving};

/// How often to look for replays, and to prolong the leases of those that are under way.
const EVERY: Duration = Duration::from_secs(1);

/// How long a replay waits for another process when the one that was at it died.
const LEASE: Duration = Duration::from_secs(15);

/// So many portions a second bring a replay to its rate; a slow one has fewer, of one delivery each.
const PORTIONS: u32 = 4;

/// The least time between two portions: others use the store, too.
const BETWEEN: Duration = Duration::from_millis(5);

/// Works on whatever replays there are, until `stop` is cancelled.
pub async fn run_replays(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let token = LeaseToken::at(clock.now());
    let mut runner = Runner {
        store,
        clock,
        token,
        under_way: Vec::new(),
        look_at: Instant::now(),
        trouble: Trouble::default(),
    };
    while !stop.is_cancelled() {
        // After a mistake of ours the same replay comes again: no reason to spin.
        let until = surviving("a replay", runner.turn()).await.unwrap_or_else(|| Instant::now() + EVERY);
        tokio::select! {
            () = sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
    }
    runner.hand_back().await;
}

struct Runner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    token: LeaseToken,
    under_way: Vec<UnderWay>,
    look_at: Instant,
    trouble: Trouble,
}

/// A replay that is leased, and when its next portion is.
struct UnderWay {
    replay: Replay,
    next_at: Instant,
}

impl Runner {
    /// Does what is to be done now; returns when there is more.
    async fn turn(&mut self) -> Instant {
        if self.look_at <= Instant::now() {
            self.look_at = Instant::now() + EVERY;
            match self.lease(LEASE).await {
                Ok(leased) => self.take_up(leased),
                // Whatever was under way may be another's soon: it is fenced, and goes on when the store is back.
                Err(error) => self.complain(&error),
            }
        }
        for mut one in std::mem::take(&mut self.under_way) {
            if one.next_at > Instant::now() || self.open(&mut one).await {
                self.under_way.push(one);
            }
        }
        self.under_way.iter().map(|one| one.next_at).fold(self.look_at, Instant::min)
    }

    fn take_up(&mut self, leased: Vec<Replay>) {
        let before = std::mem::take(&mut self.under_way);
        let next_at =
            |replay: &Replay| before.iter().find(|one| one.replay.id == replay.id).map(|one| one.next_at);
        self.under_way = leased
            .into_iter()
            .map(|replay| UnderWay { next_at: next_at(&replay).unwrap_or_else(Instant::now), replay })
            .collect();
    }

    /// Opens the next portion. Whether there is more to do.
    async fn open(&mut self, one: &mut UnderWay) -> bool {
        let (replay, begun) = (&one.replay, Instant::now());
        let portion = Portion {
            replay: replay.id,
            token: self.token,
            at_most: (replay.rate / PORTIONS).clamp(1, Portion::LOOKED_AT),
            now: self.clock.now(),
        };
        match in_time(self.store.reopen(&portion)).await {
            Ok(Some(reopened)) if reopened.is_through => {
                tracing::info!(replay_id = %replay.id, "a replay is through");
                false
            }
            Ok(Some(reopened)) => {
                // Nothing of what was looked at may have been fit: then on to the next.
                let number = u32::try_from(reopened.number).unwrap_or(u32::MAX);
                one.next_at = begun + (Duration::from_secs(1) * number / replay.rate.max(1)).max(BETWEEN);
                true
            }
            Ok(None) => false,
            Err(error) => {
                one.next_at = begun + EVERY;
                self.complain(&error);
                true
            }
        }
    }

    async fn lease(&self, lasting: Duration) -> Result<Vec<Replay>, StoreError> {
        let now = self.clock.now();
        let lease = ReplayLease { token: self.token, now, until: now.checked_add(lasting).unwrap_or(now) };
        in_time(self.store.lease_replays(&lease)).await
    }

    /// Lets another process take over at once: a lease that ends now is free.
    async fn hand_back(&self) {
        if !self.under_way.is_empty() {
            // Where this fails, the lease ends by itself.
            let _ = self.lease(Duration::ZERO).await;
        }
    }

    fn complain(&mut self, error: &StoreError) {
        if let Some(left_out) = self.trouble.due(Instant::now()) {
            tracing::warn!(error = %Chain(error), left_out, "replays can't go on now");
        }
    }
}
