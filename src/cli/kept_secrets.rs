//! The secrets that Lectern keeps, for commands that verify or sign as a server would.

use super::failure::Failure;
use super::outside;
use crate::app::Outside;
use crate::config::Loaded;
use crate::upkeep::KeptSecret;

/// All of them, of each source the newest first; none where nothing is registered at Podium.
pub(super) async fn all(loaded: &Loaded) -> Result<Vec<KeptSecret>, Failure> {
    if !Outside::is_wanted(loaded.podium(), loaded.data_dir()) {
        return Ok(Vec::new());
    }
    let (outside, store) = outside::open(loaded).await?;
    let kept = outside.secrets.all().await;
    store.close().await;
    Ok(kept?)
}
