//! The start of an answer.

use std::time::Duration;

use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::handlers::excerpt::{self, Secrets};

/// How long to wait for what is only kept for people to read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads no more than is kept, however much there is, and no longer than to the deadline. The status has decided already,
/// so an answer that breaks off or does not come takes nothing with it.
pub(super) async fn start(mut response: Response, deadline: Instant, secrets: &Secrets) -> Option<String> {
    let mut start = Vec::new();
    let reading = async {
        while start.len() < excerpt::READ
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let room = excerpt::READ - start.len();
            start.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
    };
    // Late or not, what has come is kept.
    let _ = timeout_at(deadline.min(Instant::now() + PATIENCE), reading).await;
    excerpt::start(&start, secrets)
}
