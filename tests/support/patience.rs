//! Waiting for what must happen, and no longer than it may take.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Asks again and again until there is an answer; fails when there is none within 20 seconds.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "within 20 seconds: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
