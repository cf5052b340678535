//! Dispatch: hands what the store owes to the handlers that want it.
//!
//! One worker a handler claims queues that are due, runs each queue's deliveries one after another and
//! different queues side by side, and settles what has ended, many in one go. Everything it knows is in the store: a
//! process that dies loses its leases and nothing else.

mod ahead;
mod backlog;
mod breaker;
mod held;
mod horizon;
mod replays;
mod retention;
mod retry;
mod run;
mod settler;
mod tally;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use backlog::measure;
pub use replays::run_replays;
pub use retention::{forget_old, forget_some, keep_ready, make_ready};

use breaker::Call;
use tally::Tally;
use worker::Worker;

use crate::clock::Clock;
use crate::config::{Dispatch, OnDead, Retry};
use crate::handlers::Handler;
use crate::model::DeliveryId;
use crate::store::Store;
use crate::telemetry::surviving;

/// How long a call of a handler may go on once the process has been told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a handler rests after a mistake in its worker: the next turn may come to it again.
const AFTER_A_MISTAKE: Duration = Duration::from_secs(1);

/// A handler that is ready to work.
pub struct Ready {
    /// Its configured name.
    pub name: String,
    /// What it does.
    pub handler: Arc<dyn Handler>,
    /// How many calls may run side by side.
    pub concurrency: u32,
    /// How long one call may take.
    pub timeout: Duration,
    /// What happens after a failure.
    pub retry: Retry,
    /// What becomes of the queue of a delivery that is given up.
    pub on_dead: OnDead,
}

/// Starts a worker for every handler. Once `stop` is cancelled they take up nothing new, give the calls under way a
/// few seconds, settle, hand back the rest, and end; `tasks` tells when all have. Each delivery that is given up is sent to `dead`, as far
/// as there is room.
pub fn start(
    handlers: Vec<Ready>,
    settings: Dispatch,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    dead: &mpsc::Sender<DeliveryId>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let mut tallies = Vec::with_capacity(handlers.len());
    for ready in handlers {
        let (store, clock, stop) = (Arc::clone(store), Arc::clone(clock), stop.clone());
        let tally = Arc::new(Tally::new(&ready.name, dead.clone()));
        tallies.push(Arc::clone(&tally));
        tasks.spawn(keep_working(ready, tally, settings, store, clock, stop));
    }
    tasks.spawn(tally::write(tallies, Arc::clone(store), Arc::clone(clock), stop.clone()));
}

/// Has a worker at it until it is told to stop: after a mistake of ours another one begins. What the one before had taken up
/// is due again when its leases end.
async fn keep_working(
    ready: Ready,
    tally: Arc<Tally>,
    settings: Dispatch,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let ready = Arc::new(ready);
    loop {
        let worker = Worker::run(
            Arc::clone(&ready),
            Arc::clone(&tally),
            settings,
            Arc::clone(&store),
            Arc::clone(&clock),
            stop.clone(),
        );
        if surviving("the work of a handler", worker).await.is_some() || stop.is_cancelled() {
            return;
        }
        // It may have had a probe under way, and no other is made before that one ends.
        tally.breaker.note("", Call::Dropped, Instant::now());
        tokio::select! {
            () = sleep(AFTER_A_MISTAKE) => {}
            () = stop.cancelled() => return,
        }
    }
}
