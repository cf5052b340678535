//! Reading what nobody wants.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// How much is read for nothing, at the most.
const BYTES: usize = 4 * 1024 * 1024;
/// And for how long.
const WITHIN: Duration = Duration::from_secs(1);

/// Reads the rest of a body that is not wanted, within bounds, before the request is answered. Whoever is still sending
/// when the connection is closed gets to see a broken connection, and not the answer.
pub async fn drain(mut body: Body) {
    let reading = async {
        let mut read = 0;
        while read < BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            read += frame.data_ref().map_or(0, bytes::Bytes::len);
        }
    };
    // Late or not, the answer is next.
    let _ = timeout(WITHIN, reading).await;
}
