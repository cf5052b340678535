//! Taking over what changed in the configuration, while requests are served.

use std::sync::Arc;

use crate::config::{Change, Difference, Layers, Loaded, Mistakes, Reread, Snapshot};
use crate::handlers::Registry;

use super::secrets::Secrets;

/// Reads the configuration again for a server that runs. What it says of sources is taken over; the rest is for the next
/// start.
pub struct Reload {
    pub(super) layers: Layers,
    /// What the server started with.
    pub(super) started: Snapshot,
    /// What it took over last.
    pub(super) latest: Snapshot,
    pub(super) secrets: Arc<Secrets>,
}

impl Reload {
    /// Reads the configuration again, with the environment and the flags of the start. One with a mistake changes
    /// nothing. Logs what became of it.
    pub async fn again(&mut self, registry: &Registry) {
        match self.read(registry).await {
            Ok(reread) => self.take(&reread),
            Err(mistakes) => {
                for reason in mistakes.sentences() {
                    tracing::error!(
                        reason,
                        "the configuration was read again and refused: the old one stays in force"
                    );
                }
            }
        }
    }

    async fn read(&self, registry: &Registry) -> Result<Reread, Mistakes> {
        let layers = self.layers.clone();
        // Files may be slow, and this thread may have requests to serve.
        let loaded = blocking(move || layers.load()).await?;
        // A handler that can't be set up would keep the next start from happening.
        loaded.check_handlers(|kind, settings| registry.build(kind, settings).map(drop))?;
        blocking(move || Loaded::reread(loaded)).await
    }

    fn take(&mut self, reread: &Reread) {
        self.secrets.configure(reread.sources.clone());
        let mut taken = self.latest.differences(&reread.snapshot);
        taken.retain(Difference::is_of_sources);
        let mut later = self.started.differences(&reread.snapshot);
        later.retain(|difference| !difference.is_of_sources());
        self.latest = reread.snapshot.clone();

        let [added, removed, changed] =
            [Change::Added, Change::Removed, Change::Changed].map(|change| named(&taken, Some(change)));
        if taken.is_empty() {
            tracing::info!("the configuration was read again: nothing changed for sources");
        } else {
            tracing::info!(
                added,
                removed,
                changed,
                "the configuration was read again and its sources taken over"
            );
        }
        if let Some(keys) = named(&later, None) {
            tracing::warn!(keys, "takes effect at the next start");
        }
    }
}

/// The keys that changed in this way, or in any.
fn named(differences: &[Difference], change: Option<Change>) -> Option<String> {
    let fitting =
        differences.iter().filter(|difference| change.is_none_or(|change| difference.change == change));
    let keys: Vec<&str> = fitting.map(|difference| difference.key.as_str()).collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it who waits here.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
