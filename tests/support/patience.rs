//! Waiting for what must happen, and no longer than it may take.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Asks again and again until there is an answer; fails when there is none within a minute, which is much longer than
/// anything takes on a machine that is busy with other tests.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl FnMut() -> F) -> T {
    within(Duration::from_secs(60), what, ask).await
}

/// The same, with a time of one's own.
pub(crate) async fn within<T, F: Future<Output = Option<T>>>(
    time: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + time;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "within {time:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
