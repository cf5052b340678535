//! The work at the mirror: by one process at a time, a few events after another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::picture;
use crate::clock::Clock;
use crate::model::{EventId, EventRecord, Origin, ResourceKind, ResourceState, SkippedEvent};
use crate::store::{
    LeaseToken, MirrorLease, MirrorStore, Mirrored, Rebuilding, StoreError, Unmirrored, in_time,
};
use crate::telemetry::{Chain, Trouble, metrics, surviving};

/// How many events are mirrored together; and how many while events stream in, which may have to wait for it, unless it is so far
/// behind that it would never keep up.
const BATCH: u32 = 200;
const BATCH_OF_STREAM: u32 = 32;
const FAR_BEHIND: Duration = Duration::from_secs(60);

/// How many are read without a pause: requests are answered by the same threads.
const AT_A_STRETCH: usize = 32;

/// How often to look when nobody says that there is something new: another process may have accepted it.
const EVERY: Duration = Duration::from_millis(500);

/// How long the mirror waits for another process when the one that was at it died, and how often that one says that it lives.
const LEASE: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);

/// With so many events at a time, and a commit of others meanwhile, events are streaming in. Those who send them go first: the
/// mirror rests so many times as long as its turn took the store, less where it is so far behind, so that it keeps up in the end.
const STREAM: usize = 8;
const RESTS: [(Duration, u32); 3] = [(Duration::from_secs(10), 8), (FAR_BEHIND, 3), (Duration::MAX, 1)];
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Mirrors whatever is accepted, until `stop` is cancelled. `signal` changes when something is.
pub async fn run(
    store: Arc<dyn MirrorStore>,
    clock: Arc<dyn Clock>,
    signal: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let token = LeaseToken::at(clock.now());
    let mut worker = Worker {
        store,
        clock,
        signal,
        token,
        took: 0,
        is_stream: false,
        behind: Duration::ZERO,
        lease_again_at: Instant::now(),
        trouble: Trouble::default(),
    };
    while !stop.is_cancelled() {
        let (begun, commits) = (Instant::now(), *worker.signal.borrow_and_update());
        // After a mistake of ours the same events come again: no reason to spin.
        let next = surviving("the mirror", worker.turn()).await.unwrap_or(Next::After(EVERY));
        let rest_until = Instant::now() + worker.rest(begun.elapsed());
        tokio::select! {
            () = worker.wait(next, rest_until) => {}
            () = stop.cancelled() => {}
        }
        worker.is_stream = worker.took >= STREAM && *worker.signal.borrow() != commits;
    }
    worker.hand_back().await;
}

struct Worker {
    store: Arc<dyn MirrorStore>,
    clock: Arc<dyn Clock>,
    signal: watch::Receiver<u64>,
    token: LeaseToken,
    /// How many events were mirrored last, whether events are streaming in, and how long the first had waited.
    took: usize,
    is_stream: bool,
    behind: Duration,
    lease_again_at: Instant,
    trouble: Trouble,
}

/// When there is more to do.
enum Next {
    AtOnce,
    /// When something is accepted, or after this time.
    News(Duration),
    After(Duration),
}

impl Worker {
    async fn turn(&mut self) -> Next {
        match self.work().await {
            Ok(next) => next,
            Err(error) => {
                if let Some(left_out) = self.trouble.due(Instant::now()) {
                    tracing::warn!(error = %Chain(&error), left_out, "the mirror can't go on now");
                }
                // Perhaps the lease was lost meanwhile.
                self.lease_again_at = Instant::now();
                Next::After(EVERY)
            }
        }
    }

    async fn work(&mut self) -> Result<Next, StoreError> {
        if self.lease_again_at <= Instant::now() {
            if !self.lease(LEASE).await? {
                return Ok(Next::After(RENEW));
            }
            self.lease_again_at = Instant::now() + RENEW;
        }
        let at_most = if self.is_stream && self.behind < FAR_BEHIND { BATCH_OF_STREAM } else { BATCH };
        let events = in_time(self.store.unmirrored(at_most)).await?;
        self.took = events.len();
        let Some(first) = events.first() else {
            self.behind = Duration::ZERO;
            return self.rebuild().await;
        };
        let oldest = first.event.received_at;
        let next = self.mirror(events, None).await?;
        self.behind = self.age(oldest);
        Ok(next)
    }

    /// Goes on with making the mirror anew, now that there is nothing else to do.
    async fn rebuild(&mut self) -> Result<Next, StoreError> {
        let Some(Rebuilding { after, events }) = in_time(self.store.to_rebuild(BATCH)).await? else {
            return Ok(Next::News(EVERY));
        };
        if !events.is_empty() {
            return self.mirror(events, Some(after)).await;
        }
        if !in_time(self.store.end_rebuild(self.token, after, self.clock.now())).await? {
            // It was asked for again, or another is at it.
            self.lease_again_at = Instant::now();
            return Ok(Next::After(EVERY));
        }
        tracing::info!("the mirror is made anew");
        Ok(Next::News(EVERY))
    }

    async fn mirror(
        &mut self,
        events: Vec<Unmirrored>,
        rebuilt_after: Option<EventId>,
    ) -> Result<Next, StoreError> {
        // What is mirrored anew was counted when it came.
        let is_new = rebuilt_after.is_none();
        let is_repaired = |event: &EventRecord| is_new && event.origin == Origin::Repair;
        let repaired: Vec<String> = events
            .iter()
            .filter(|unmirrored| is_repaired(&unmirrored.event))
            .map(|unmirrored| unmirrored.event.event_type.clone())
            .collect();
        let mirrored = together(self.token, events, rebuilt_after).await;
        let is_ours = match in_time(self.store.mirror(&mirrored)).await {
            Err(error) if error.is_of_the_data() => self.mirror_one_by_one(&mirrored).await?,
            written => written?,
        };
        if !is_ours {
            // Another is at it: this one was late.
            self.lease_again_at = Instant::now();
            return Ok(Next::After(EVERY));
        }
        metrics::mirrored(mirrored.events.len(), mirrored.skipped.len());
        repaired.iter().for_each(|event_type| metrics::repaired(event_type));
        Ok(Next::AtOnce)
    }

    /// Finds the one that can't be kept, and skips it: no event stops the mirror.
    async fn mirror_one_by_one(&self, batch: &Mirrored) -> Result<bool, StoreError> {
        let mut rebuilt_after = batch.rebuilt_after;
        for event in &batch.events {
            let alone = batch.only(*event, rebuilt_after);
            let is_ours = match in_time(self.store.mirror(&alone)).await {
                Err(error) if error.is_of_the_data() => {
                    tracing::error!(event_id = %event, error = %Chain(&error), "an event can't be mirrored");
                    in_time(self.store.mirror(&alone.left_out("it can't be kept"))).await?
                }
                written => written?,
            };
            if !is_ours {
                return Ok(false);
            }
            rebuilt_after = rebuilt_after.map(|_| *event);
        }
        Ok(true)
    }

    fn age(&self, received_at: Timestamp) -> Duration {
        Duration::try_from(self.clock.now().duration_since(received_at)).unwrap_or_default()
    }

    /// How long to rest after a turn that took the store so long.
    fn rest(&self, turn: Duration) -> Duration {
        if !self.is_stream {
            return Duration::ZERO;
        }
        let times = RESTS.iter().find(|(behind, _)| self.behind < *behind).map_or(1, |(_, times)| *times);
        (turn * times).min(LONGEST_REST)
    }

    async fn wait(&mut self, next: Next, rest_until: Instant) {
        match next {
            Next::AtOnce => {}
            Next::After(time) => sleep_until(Instant::now() + time).await,
            Next::News(time) => {
                tokio::select! {
                    Ok(()) = self.signal.changed() => {}
                    () = sleep_until(Instant::now() + time) => {}
                }
            }
        }
        sleep_until(rest_until).await;
    }

    async fn lease(&self, lasting: Duration) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let lease = MirrorLease { token: self.token, now, until: now.checked_add(lasting).unwrap_or(now) };
        in_time(self.store.lease_mirror(&lease)).await
    }

    /// Lets another process take over at once: a lease that ends now is free.
    async fn hand_back(&self) {
        // Where this fails, the lease ends by itself.
        let _ = self.lease(Duration::ZERO).await;
    }
}

/// What a few events come to, together.
async fn together(token: LeaseToken, events: Vec<Unmirrored>, rebuilt_after: Option<EventId>) -> Mirrored {
    let mut newest: HashMap<(ResourceKind, String), ResourceState> = HashMap::new();
    let mut mirrored = Mirrored {
        token,
        states: Vec::new(),
        told_by: Vec::new(),
        skipped: Vec::new(),
        fitting: Vec::new(),
        events: Vec::with_capacity(events.len()),
        rebuilt_after,
    };
    for Unmirrored { event, content } in events {
        if mirrored.events.len().is_multiple_of(AT_A_STRETCH) {
            yield_now().await;
        }
        mirrored.events.push(event.id);
        // What was forgotten tells of nothing.
        let Some(content) = content else { continue };
        match picture::of(&event, &content) {
            Ok(states) => {
                mirrored.fitting.push(event.id);
                for state in states {
                    // A conversation's events are those that name it.
                    if state.kind != ResourceKind::Conversation {
                        mirrored.told_by.push((state.kind, state.uid.clone(), event.id));
                    }
                    let known = newest.entry((state.kind, state.uid.clone()));
                    let kept = known.or_insert_with(|| state.clone());
                    if kept.version < state.version {
                        *kept = state;
                    }
                }
            }
            Err(reason) => mirrored.skipped.push(SkippedEvent { event_id: event.id, reason }),
        }
    }
    mirrored.states = newest.into_values().collect();
    // In one order, whoever writes.
    mirrored.states.sort_by(|one, other| (one.kind, &one.uid).cmp(&(other.kind, &other.uid)));
    mirrored
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;
    use crate::model::EventRecord;

    #[tokio::test]
    async fn a_large_batch_lets_others_have_their_turns() {
        let at = Timestamp::UNIX_EPOCH;
        let events = (0..BATCH)
            .map(|_| Unmirrored { event: EventRecord::bare("call.missed", at), content: None })
            .collect();
        let (mut work, mut pauses) = (pin!(together(LeaseToken::at(at), events, None)), 0);
        while poll!(work.as_mut()).is_pending() {
            pauses += 1;
        }
        assert!(pauses >= BATCH as usize / AT_A_STRETCH, "{pauses}");
    }
}
