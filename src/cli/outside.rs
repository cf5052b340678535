//! Podium, spoken to from the command line with the account that servers use.

use std::sync::Arc;

use super::failure::Failure;
use crate::app;
use crate::app::Outside;
use crate::clock::SystemClock;
use crate::config::{Loaded, encryption_key};
use crate::store::Database;
use crate::telemetry;

/// What is needed to speak with Podium, and the store that it is kept in, which is made if there is none.
pub(super) async fn open(loaded: &Loaded) -> Result<(Outside, Arc<dyn Database>), Failure> {
    telemetry::start(loaded.log());
    // First: it makes the data folder, in which the database may be.
    encryption_key(loaded.podium(), loaded.data_dir())?;
    let store = app::open_store(loaded.database()).await?;
    let outside = Outside::new(
        loaded.podium(),
        loaded.data_dir(),
        loaded.internal_listen(),
        Arc::clone(&store),
        Arc::new(SystemClock),
    )?;
    Ok((outside, store))
}
