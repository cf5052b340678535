//! Forgetting: what is older than it need be leaves the store, a little at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Retention;
use crate::store::{Store, in_time};
use crate::telemetry::{Chain, surviving};

/// How often to look.
const EVERY: Duration = Duration::from_secs(600);

/// How many events go at a time: a transaction short enough that nobody waits for it.
const BATCH: u32 = 50;

/// The pause between two batches, in which others get their turn.
const PAUSE: Duration = Duration::from_millis(100);

/// Forgets events older than `retention` says, until `stop` is cancelled.
pub async fn forget_old_events(
    retention: Retention,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        surviving("forgetting old events", forget(retention, &*store, &*clock, &stop)).await;
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn forget(retention: Retention, store: &dyn Store, clock: &dyn Clock, stop: &CancellationToken) {
    let Ok(before) = clock.now().checked_sub(retention.events) else { return };
    let mut forgotten = 0;
    while !stop.is_cancelled() {
        match in_time(store.forget_before(before, BATCH)).await {
            Ok(0) => break,
            Ok(count) => {
                forgotten += count;
                sleep(PAUSE).await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "old events can't be forgotten now");
                break;
            }
        }
    }
    if forgotten > 0 {
        tracing::info!(forgotten, %before, "old events were forgotten");
    }
}
