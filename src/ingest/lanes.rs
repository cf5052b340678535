//! Lanes: concurrent requests are made durable together.
//!
//! An event goes to one of a few lanes by what it is ordered with. A lane takes whatever is waiting and commits it while
//! the next batch gathers: load makes batches larger instead of answers slower, an idle lane commits a single event at
//! once, and two events of one conversation are committed in the order in which they came.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::commit::{Commit, Receipt};
use super::decode::Event;
use super::rejection::Rejection;
use crate::model::NewEvent;

/// How many events wait in a lane at most; whoever brings a further one waits for room.
const WAITING: usize = 1024;

/// How many events are committed together at most.
const BATCH: usize = 512;

/// How many bytes of bodies are committed together; one event may have more.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The answer leaves within this from when the headers were here, come what may: Podium hangs up after 5 seconds, some of
/// which are spent on the way, and would then call a slow success a failure. An event that is given up may have become
/// durable all the same; its next try is then a duplicate.
const ANSWER_WITHIN: Duration = Duration::from_millis(4200);

/// An event whose body took most of that is given so long all the same: whoever is so slow may wait longer than Podium.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Where events are handed in.
#[derive(Clone, Debug)]
pub(super) struct Lanes(Vec<mpsc::Sender<Waiting>>);

/// An event that waits, and whoever waits for it.
pub(super) struct Waiting {
    pub(super) event: NewEvent,
    pub(super) since: Instant,
    pub(super) answer: oneshot::Sender<Result<Receipt, Rejection>>,
}

impl Lanes {
    /// Starts so many lanes. They end, with all that was handed in committed or spooled, once nobody can hand in more.
    pub(super) fn start(count: usize, commit: Commit, tasks: &TaskTracker) -> Self {
        let commit = Arc::new(commit);
        let lane = |_| {
            let (sender, waiting) = mpsc::channel(WAITING);
            tasks.spawn(run(waiting, Arc::clone(&commit)));
            sender
        };
        Self((0..count.max(1)).map(lane).collect())
    }

    /// Makes an event durable whose sender has waited since `asked`.
    pub(super) async fn accept(&self, event: Event, asked: Instant) -> Result<Receipt, Rejection> {
        let (event, lane) = event.into_lane(self.0.len());
        let (answer, answered) = oneshot::channel();
        let since = Instant::now();
        let accepting = async {
            self.0[lane].send(Waiting { event, since, answer }).await.ok()?;
            answered.await.ok()
        };
        timeout_at((asked + ANSWER_WITHIN).max(since + AT_LEAST), accepting)
            .await
            .ok()
            .flatten()
            .unwrap_or(Err(Rejection::StoreUnavailable))
    }
}

async fn run(mut waiting: mpsc::Receiver<Waiting>, commit: Arc<Commit>) {
    while let Some(first) = waiting.recv().await {
        let batch = gather(first, &mut waiting);
        // A mistake in here must not end the lane. Whoever waits for this batch is told to try again.
        if AssertUnwindSafe(commit.run(batch)).catch_unwind().await.is_err() {
            tracing::error!("a batch of events was not committed for a mistake in Lectern");
        }
    }
}

fn gather(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.event.content.body.len();
    let mut batch = vec![first];
    while batch.len() < BATCH
        && bytes < BATCH_BYTES
        && let Ok(next) = waiting.try_recv()
    {
        bytes += next.event.content.body.len();
        batch.push(next);
    }
    batch
}
