//! What can go wrong in a store, by what the caller will do about it.

/// Why a store did not keep a promise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, is busy or shutting down, or took too long: the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was to be added is there already.
    #[error("{0} is there already")]
    Conflict(String),
    /// It answered with something that it should not: repeating won't help.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
