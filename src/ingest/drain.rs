//! The way from the spool into the store.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::decode::again;
use super::subscriber::Subscriber;
use crate::clock::Clock;
use crate::model::{Arrival, EventId, NewEvent, Origin};
use crate::spool::{Depth, Spool, SpoolError};
use crate::store::{Acceptance, Store, StoreError};
use crate::telemetry::Chain;

/// How many events are brought to the store at once.
const BATCH: usize = 500;
/// How many are decoded without a pause: requests are answered by the same threads.
const AT_A_STRETCH: usize = 32;
/// How long the store may take for them. Nobody waits for it.
const WITHIN: Duration = Duration::from_secs(10);
/// How soon a store that is away is asked again, at first and at the most.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often the log tells that the store is still away.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// How often to look for what other processes have left.
const ADOPT_EVERY: Duration = Duration::from_secs(5);
/// How long to wait after a mistake in here.
const AFTER_A_MISTAKE: Duration = Duration::from_secs(1);
/// How often, and how long apart, an event must have been refused while another was taken, until it is set aside.
const ROUNDS: (u32, Duration) = (4, Duration::from_secs(20));

/// Brings what is in the spool to the store, in its order.
pub(super) struct Drain {
    spool: Spool,
    store: Arc<dyn Store>,
    /// Who wants to hear of what, today: an event in the spool has no deliveries yet.
    subscribers: Arc<[Subscriber]>,
    clock: Arc<dyn Clock>,
    /// How often, and how long apart, an event is refused until it is set aside.
    rounds: (u32, Duration),
    /// The first event in the spool, if the store does not take it.
    refused: Option<Refused>,
    /// When the log last told that what others left can't be taken over.
    told_of_adoption: Option<Instant>,
}

/// How often the store did not take an event while it took another.
#[derive(Clone, Copy)]
struct Refused {
    id: EventId,
    rounds: u32,
    last: Option<Instant>,
}

/// An event, and what it is ordered with.
type Keyed = (NewEvent, Option<String>);

impl Drain {
    pub(super) const fn new(
        spool: Spool,
        store: Arc<dyn Store>,
        subscribers: Arc<[Subscriber]>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { spool, store, subscribers, clock, rounds: ROUNDS, refused: None, told_of_adoption: None }
    }

    /// Goes on until told to stop. What is left then is there at the next start.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            let mut depth = self.spool.watch();
            loop {
                // A mistake in here must not end the way to the store.
                if AssertUnwindSafe(self.turn(&mut depth)).catch_unwind().await.is_err() {
                    tracing::error!("the spool was not emptied for a mistake in Lectern: it is tried again");
                    sleep(AFTER_A_MISTAKE).await;
                }
            }
        })
        .await;
    }

    async fn turn(&mut self, depth: &mut watch::Receiver<Depth>) {
        let waited = timeout(ADOPT_EVERY, depth.wait_for(|depth| depth.events > 0)).await.map(drop);
        // Before anything else: what others left may be older.
        self.adopt().await;
        if waited.is_ok() {
            self.empty().await;
        }
    }

    async fn adopt(&mut self) {
        if let Err(error) = self.spool.adopt().await
            && self.told_of_adoption.is_none_or(|told| told.elapsed() >= TELL_EVERY)
        {
            self.told_of_adoption = Some(Instant::now());
            tracing::warn!(error = %Chain(&error), "what other processes left in the spool can't be taken over");
        }
    }

    /// Until nothing is left.
    async fn empty(&mut self) {
        let start = Instant::now();
        let (mut told, mut adopted, mut wait, mut events) = (start, start, WAITS.0, 0);
        while !self.spool.is_empty() {
            if adopted.elapsed() >= ADOPT_EVERY {
                self.adopt().await;
                adopted = Instant::now();
            }
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
    async fn step(&mut self) -> Result<usize, String> {
        let arrivals = self.spool.first(BATCH).await.map_err(|error| told(&error))?;
        let (events, keys) = self.decode(arrivals).await;
        match self.accept(&events).await {
            Ok(_) => {}
            Err(StoreError::Unavailable(error)) => return Err(Chain(&*error).to_string()),
            Err(_) => return self.one_by_one(events.into_iter().zip(keys).collect()).await,
        }
        self.remove(events.len()).await?;
        Ok(events.len())
    }

    /// What arrived, as events of today, and what each is ordered with.
    async fn decode(&self, arrivals: Vec<Arrival>) -> (Vec<NewEvent>, Vec<Option<String>>) {
        let (mut events, mut keys) = (Vec::with_capacity(arrivals.len()), Vec::with_capacity(arrivals.len()));
        for arrival in arrivals {
            if events.len().is_multiple_of(AT_A_STRETCH) {
                yield_now().await;
            }
            let (event, key) = again(arrival, Origin::Webhook, &self.subscribers, self.clock.now());
            events.push(event);
            keys.push(key);
        }
        (events, keys)
    }

    async fn accept(&self, events: &[NewEvent]) -> Result<Vec<Acceptance>, StoreError> {
        match timeout(WITHIN, self.store.accept(events)).await {
            Ok(accepted) => accepted,
            Err(elapsed) => Err(StoreError::Unavailable(elapsed.into())),
        }
    }

    /// The store refuses a batch for good: it gets each event by itself, up to the first that it does not take.
    async fn one_by_one(&mut self, events: Vec<Keyed>) -> Result<usize, String> {
        for (place, (event, _)) in events.iter().enumerate() {
            let Err(error) = self.accept(slice::from_ref(event)).await else { continue };
            self.remove(place).await?;
            if let StoreError::Unavailable(error) = error {
                return Err(Chain(&*error).to_string());
            }
            self.judge(&error, &events[place..]).await?;
            return Ok(place + 1);
        }
        self.remove(events.len()).await?;
        Ok(events.len())
    }

    /// The store refuses the first of these events for good. If it takes others, the event is set aside: it must not hold up
    /// all that came after it. If it takes none, the store is what is wrong, and everything waits.
    ///
    /// When it says that the event itself is what is wrong, that is believed; else it may be wrong for a while and for some
    /// only, and is asked again for some time.
    async fn judge(&mut self, error: &StoreError, events: &[Keyed]) -> Result<(), String> {
        let event = &events[0].0;
        let id = event.record.id;
        let mut refused = match self.refused {
            Some(refused) if refused.id == id => refused,
            _ => Refused { id, rounds: 0, last: None },
        };
        if refused.last.is_none_or(|last| last.elapsed() >= self.rounds.1)
            && self.takes_another(events).await?
        {
            (refused.rounds, refused.last) = (refused.rounds + 1, Some(Instant::now()));
        }
        self.refused = Some(refused);
        let enough = if error.is_of_the_data() { 1 } else { self.rounds.0 };
        if refused.rounds < enough {
            return Err(Chain(error).to_string());
        }
        let file = self.spool.set_aside(event.arrival()).await.map_err(|error| told(&error))?;
        tracing::error!(
            %id,
            file,
            error = %Chain(error),
            "the store takes other events and not this one: it is set aside for a person"
        );
        self.remove(1).await
    }

    /// Whether the store takes one of these events but the first. Only one that is new is proof, for it writes nothing for
    /// one that it has; and none comes before an earlier one of what it is ordered with.
    async fn takes_another(&self, events: &[Keyed]) -> Result<bool, String> {
        let mut held_up: HashSet<&str> = events[0].1.as_deref().into_iter().collect();
        for (event, key) in &events[1..] {
            if key.as_deref().is_some_and(|key| held_up.contains(key)) {
                continue;
            }
            match self.accept(slice::from_ref(event)).await {
                Ok(accepted) if matches!(accepted[..], [Acceptance::Accepted(_)]) => return Ok(true),
                Ok(_) => {}
                Err(StoreError::Unavailable(error)) => return Err(Chain(&*error).to_string()),
                Err(_) => held_up.extend(key.as_deref()),
            }
        }
        Ok(false)
    }

    async fn remove(&self, count: usize) -> Result<(), String> {
        self.spool.remove(count).await.map_err(|error| told(&error))
    }
}

fn told(error: &SpoolError) -> String {
    Chain(error).to_string()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use bytes::Bytes;
    use futures_util::poll;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ingest::scripted::Scripted;
    use crate::model::Content;

    async fn drain(folder: &TempDir, store: &Arc<Scripted>) -> Drain {
        let spool = Spool::open(folder.path(), 1024 * 1024).await.unwrap();
        let (store, clock) = (Arc::clone(store) as Arc<dyn Store>, Arc::new(SystemClock));
        let mut drain = Drain::new(spool, store, Arc::new([]), clock);
        drain.rounds = (3, Duration::ZERO);
        drain
    }

    /// An event of the conversation that its name begins with.
    fn arrival(drain: &Drain, name: &str) -> Arrival {
        let body = format!(
            r#"{{"data":{{"conversation":{{"uid":"{}"}}}},"metadata":{{"eventType":"message.received","eventUid":"{name}"}}}}"#,
            &name[..1]
        );
        let received_at = drain.clock.now();
        let content = Content { headers: Vec::new(), body: Bytes::from(body) };
        let (id, source) = (EventId::at(received_at), "default".to_owned());
        Arrival { id, source, received_at, verified_by: None, content }
    }

    async fn append(drain: &Drain, name: &str) {
        drain.spool.append(vec![arrival(drain, name)]).await.unwrap();
    }

    #[tokio::test]
    async fn a_large_batch_lets_others_have_their_turns() {
        let (folder, store) = (tempfile::tempdir().unwrap(), Arc::new(Scripted::default()));
        let drain = drain(&folder, &store).await;
        let arrivals = (0..BATCH).map(|number| arrival(&drain, &format!("a{number}"))).collect();
        let (mut decoding, mut pauses) = (pin!(drain.decode(arrivals)), 0);
        while poll!(decoding.as_mut()).is_pending() {
            pauses += 1;
        }
        assert!(pauses >= BATCH / AT_A_STRETCH, "{pauses}");
    }

    #[tokio::test]
    async fn an_event_that_is_refused_while_others_are_accepted_is_set_aside_and_none_of_its_own_passes_it() {
        let (folder, store) = (tempfile::tempdir().unwrap(), Arc::new(Scripted::default()));
        let mut drain = drain(&folder, &store).await;
        store.refuse(&["a2"]);
        for name in ["a1", "a2", "a3", "b1"] {
            append(&drain, name).await;
        }
        assert!(drain.step().await.is_err());
        assert_eq!(*store.accepted(), ["a1", "b1"]);
        // What it has already is no proof that it takes anything.
        for _ in 0..5 {
            assert!(drain.step().await.is_err());
        }
        append(&drain, "c1").await;
        assert!(drain.step().await.is_err());
        assert_eq!((drain.spool.depth().set_aside, drain.spool.depth().events), (0, 4));
        append(&drain, "d1").await;
        assert_eq!(drain.step().await, Ok(1));
        assert_eq!(drain.spool.depth().set_aside, 1);
        drain.step().await.unwrap();
        assert_eq!(*store.accepted(), ["a1", "b1", "c1", "d1", "a3"]);
        assert!(drain.spool.is_empty());
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_is_what_is_wrong() {
        let (folder, store) = (tempfile::tempdir().unwrap(), Arc::new(Scripted::default()));
        let mut drain = drain(&folder, &store).await;
        store.refuse(&["a1", "b1", "c1"]);
        for name in ["a1", "b1", "c1"] {
            append(&drain, name).await;
        }
        for _ in 0..10 {
            assert!(drain.step().await.is_err());
        }
        assert_eq!(drain.spool.depth().set_aside, 0);
        store.refuse(&[]);
        assert_eq!(drain.step().await, Ok(3));
        assert_eq!(*store.accepted(), ["a1", "b1", "c1"]);
    }
}
