//! How much is left to do, for whoever monitors it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::store::{Store, StoreError, in_time};
use crate::telemetry::{Chain, metrics, surviving};

/// How often it is looked at: nobody's monitoring asks more often.
const EVERY: Duration = Duration::from_secs(15);

/// Looks now and then until `stop` is cancelled.
pub(super) async fn measure(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut known = BTreeSet::new();
    while !stop.is_cancelled() {
        let looked = surviving("measuring the backlog", look(&*store, &*clock, &mut known)).await;
        if let Some(Err(error)) = looked {
            tracing::debug!(error = %Chain(&error), "the backlog can't be measured now");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn look(store: &dyn Store, clock: &dyn Clock, known: &mut BTreeSet<String>) -> Result<(), StoreError> {
    let backlogs = in_time(store.backlog()).await?;
    // What has nothing left is not among them.
    for handler in known.iter().filter(|known| backlogs.iter().all(|backlog| backlog.handler != **known)) {
        metrics::backlog(handler, 0, 0, 0, 0.0);
    }
    let now = clock.now();
    for backlog in backlogs {
        let due = backlog.oldest_due_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
        metrics::backlog(&backlog.handler, backlog.open, backlog.dead, backlog.parked, due);
        known.insert(backlog.handler);
    }
    Ok(())
}
