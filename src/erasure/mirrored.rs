//! Waiting for the mirror: who a person is, only what is mirrored tells.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::ErasureError;
use crate::store::{MirrorStore, in_time};

/// How often to look, and after how long it is given up when nothing goes on: where no server runs, nobody mirrors.
const EVERY: Duration = Duration::from_millis(250);
const STANDS_STILL: Duration = Duration::from_secs(5);

/// Waits until every event that was received until a moment is mirrored, as long as that goes on. Returns how many are not.
///
/// # Errors
/// When the store fails, or its mirror is being made anew.
pub async fn until_mirrored(moment: Timestamp, mirror: &dyn MirrorStore) -> Result<u64, ErasureError> {
    let (mut first, mut since) = (None, Instant::now());
    loop {
        let status = in_time(mirror.mirror_status()).await?;
        if status.rebuild.is_some_and(|rebuild| rebuild.ended_at.is_none()) {
            return Err(ErasureError::Rebuilding);
        }
        let waiting = status.oldest_at.filter(|oldest| *oldest <= moment);
        if waiting.is_none() {
            return Ok(0);
        }
        if waiting != first {
            (first, since) = (waiting, Instant::now());
        } else if since.elapsed() > STANDS_STILL {
            return Ok(status.waiting);
        }
        sleep(EVERY).await;
    }
}
