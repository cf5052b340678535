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
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use backlog::measure;
pub use replays::run_replays;
pub use retention::{forget_old, forget_some, keep_ready, make_ready};

use tally::Tally;

use crate::clock::Clock;
use crate::config::{Dispatch, OnDead, Retry};
use crate::handlers::Handler;
use crate::model::DeliveryId;
use crate::store::Store;

/// How long a call of a handler may go on once the process has been told to stop.
const GRACE: Duration = Duration::from_secs(5);

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
        tasks.spawn(worker::Worker::run(ready, tally, settings, store, clock, stop));
    }
    tasks.spawn(tally::write(tallies, Arc::clone(store), Arc::clone(clock), stop.clone()));
}
