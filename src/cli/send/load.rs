//! Many events over several connections, each as soon as one is free or when its turn has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::post::{Outcome, Sender};
use super::report::Report;
use crate::cli::failure::Failure;

/// How many, how fast, how many at once.
pub(super) struct Plan {
    pub(super) count: u64,
    pub(super) connections: u16,
    pub(super) rate: Option<f64>,
}

/// What the connections share.
struct Shared {
    sender: Sender,
    plan: Plan,
    next: AtomicU64,
    start: Instant,
    stop: CancellationToken,
}

/// Sends all events and reports on them. Ctrl-C ends it early, with the report so far.
pub(super) async fn run(sender: Sender, plan: Plan) -> Result<(), Failure> {
    let mut report = Report::new(sender.url(), plan.count);
    let stop = CancellationToken::new();
    let start = Instant::now();
    let shared = Arc::new(Shared { sender, plan, next: AtomicU64::new(0), start, stop: stop.clone() });

    let mut connections = JoinSet::new();
    let (outcomes, mut arriving) = mpsc::channel(1024);
    for _ in 0..shared.plan.connections {
        connections.spawn(connection(Arc::clone(&shared), outcomes.clone()));
    }
    drop(outcomes);
    loop {
        tokio::select! {
            outcome = arriving.recv() => match outcome {
                Some(outcome) => {
                    // Events that are under way still arrive; no further ones are begun.
                    if let Err(failure) = report.add(&outcome) {
                        stop.cancel();
                        return Err(failure);
                    }
                }
                None => break,
            },
            _ = tokio::signal::ctrl_c(), if !stop.is_cancelled() => stop.cancel(),
        }
    }
    report.finish(start.elapsed())
}

async fn connection(shared: Arc<Shared>, outcomes: mpsc::Sender<Outcome>) {
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.plan.count || shared.stop.is_cancelled() {
            return;
        }
        let due = match shared.plan.rate {
            None => Instant::now(),
            Some(rate) => {
                #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 events nobody waits for the end")]
                let due = shared.start
                    + Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX / 4);
                tokio::select! {
                    () = sleep_until(due) => due,
                    () = shared.stop.cancelled() => return,
                }
            }
        };
        if outcomes.send(shared.sender.send(number, due).await).await.is_err() {
            return;
        }
    }
}
