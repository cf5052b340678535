//! Asking the store, and not for ever.

use std::time::Duration;

use tokio::time::timeout;

use super::StoreError;

/// How long the store may take. A database that answers ends by itself what takes too long, and sooner than this; one that
/// has gone mute does not.
const WITHIN: Duration = Duration::from_secs(20);

/// What the store says to this call, or that it is unavailable when it says nothing.
pub(crate) async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(WITHIN, call).await.unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
}
