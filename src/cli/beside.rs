//! The store, opened beside the servers that use it.

use std::sync::Arc;

use super::failure::Failure;
use crate::app;
use crate::config::{DatabaseUrl, Loaded};
use crate::store::Database;
use crate::telemetry;

/// Opens the store. A command tells nobody of what it writes there: running servers find it when they look by themselves, every
/// `dispatch.poll_interval` for what handlers have to do, and every second for replays of many.
pub(super) async fn store(loaded: &Loaded) -> Result<Arc<dyn Database>, Failure> {
    telemetry::start(loaded.log());
    let database = loaded.database();
    match &database.url {
        // A look is no reason to make a database.
        DatabaseUrl::Sqlite(file) if matches!(file.try_exists(), Ok(false)) => Err(Failure::failed(format!(
            "there is no database at {}: nothing was ever received, or --config, --data-dir or DATABASE_URL is missing",
            database.url
        ))),
        _ => Ok(app::open_store(database).await?),
    }
}

/// The same, for what must go over everything that is stored.
pub(super) async fn whole_store(loaded: &Loaded) -> Result<Arc<dyn Database>, Failure> {
    let store = store(loaded).await?;
    if store.is_known().await? {
        return Ok(store);
    }
    store.close().await;
    Err(Failure::failed(
        "a newer Lectern has brought the database up to date and may keep more there than this one knows of: use that one, or a later one",
    ))
}
