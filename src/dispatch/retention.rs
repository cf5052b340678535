//! Forgetting: what is older than it need be leaves the store, a little at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Retention;
use crate::model::Forgettable;
use crate::store::{ForgettingStore, Forgotten, Reached, StoreError, in_time};
use crate::telemetry::{Chain, metrics, surviving};

/// How often to look.
const EVERY: Duration = Duration::from_secs(600);

/// How many go at a time: a transaction short enough that nobody waits for it.
const BATCH: u32 = 50;

/// The rest between two batches, in which others get their turn, is so many times what the last one took the store.
const REST: u32 = 3;

/// A rest is never shorter.
const SHORTEST_REST: Duration = Duration::from_millis(10);

/// How long ahead the store is made ready for what will arrive: longer than servers are away.
const AHEAD: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Forgets what is older than `retention` says, until `stop` is cancelled.
pub async fn forget_old(
    retention: Retention,
    store: Arc<dyn ForgettingStore>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    metrics::may_forget(Forgettable::ALL.map(Forgettable::as_str));
    loop {
        let round = async {
            let now = clock.now();
            let mut is_done = true;
            for (what, before) in retention.limits(now) {
                is_done &= forget(what, before, &*store, &stop).await;
            }
            is_done
        };
        let is_done = surviving("forgetting what is old", round).await.unwrap_or(false);
        metrics::round_of_forgetting(is_done);
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes the store ready for what will arrive, until `stop` is cancelled.
pub async fn keep_ready(store: Arc<dyn ForgettingStore>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        surviving("making room for the next weeks", make_ready(&*store, &*clock)).await;
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Makes the store ready for what will arrive in the next weeks.
pub async fn make_ready(store: &dyn ForgettingStore, clock: &dyn Clock) {
    let now = clock.now();
    let until = now.checked_add(AHEAD).unwrap_or(now);
    if let Err(error) = in_time(store.make_ready(now, until)).await {
        tracing::warn!(error = %Chain(&error), "no room could be made for the next weeks: it is tried again");
    }
}

/// Forgets all of a kind. Returns whether that went well.
async fn forget(
    what: Forgettable,
    before: Timestamp,
    store: &dyn ForgettingStore,
    stop: &CancellationToken,
) -> bool {
    let (mut forgotten, mut next) = (0, Some(Reached::default()));
    let (mut is_well, mut is_held_up) = (true, false);
    while let Some(from) = next
        && !stop.is_cancelled()
    {
        match forget_some(what, from, before, store).await {
            Ok(some) => {
                metrics::forgotten(what.as_str(), some.count);
                forgotten += some.count;
                is_held_up |= some.is_held_up;
                next = some.reached;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "old {what} can't be forgotten now");
                is_well = false;
                break;
            }
        }
    }
    if forgotten > 0 {
        tracing::info!(forgotten, %before, "old {what} were forgotten");
    }
    if is_held_up {
        tracing::info!("some old {what} stay for now: who uses them would have to wait");
    }
    is_well && !is_held_up
}

/// A step of a round: forgets some of a kind, and rests.
///
/// # Errors
/// As for [`ForgettingStore::forget_before`].
pub async fn forget_some(
    what: Forgettable,
    from: Reached,
    before: Timestamp,
    store: &dyn ForgettingStore,
) -> Result<Forgotten, StoreError> {
    let begun = Instant::now();
    let forgotten = in_time(store.forget_before(what, from, before, BATCH)).await?;
    if forgotten.count > 0 || forgotten.reached.is_some() {
        sleep((begun.elapsed() * REST).max(SHORTEST_REST)).await;
    }
    Ok(forgotten)
}
