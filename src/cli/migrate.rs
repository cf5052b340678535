//! `lectern migrate`.

use super::failure::Failure;
use super::output;
use crate::app;
use crate::config::Loaded;
use crate::telemetry;

/// Opens the store, which brings its schema up to date.
pub(super) async fn run(loaded: Loaded) -> Result<(), Failure> {
    telemetry::start(loaded.log());
    let config = loaded.start()?.config;
    app::open_store(&config.database).await?.close().await;
    output::line(format_args!("The schema of {} is up to date.", config.database.url))
}
