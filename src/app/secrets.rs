//! The secrets of sources: those that are configured, and those that Lectern has made and keeps in the store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::SourceConfig;
use crate::ingest::Sources;
use crate::telemetry::{Chain, surviving};
use crate::upkeep::{KeptSecret, KeptSecrets};

/// How often it is looked whether there is another. Whoever registers a webhook waits for longer than that.
const EVERY: Duration = Duration::from_secs(2);

/// How long the store may take for it, at the start, and later.
const WITHIN: Duration = Duration::from_secs(2);

/// Both, together, as the sources have them.
pub(super) struct Secrets {
    configured: Mutex<Vec<SourceConfig>>,
    kept: Mutex<Vec<KeptSecret>>,
    sources: Arc<Sources>,
    clock: Arc<dyn Clock>,
}

impl Secrets {
    /// What there is at the start: those that are kept come from the store or, while it is away, from this machine's disk.
    pub(super) async fn at_start(
        configured: Vec<SourceConfig>,
        kept: Option<&KeptSecrets>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let kept = match kept {
            Some(kept) => first_of(kept).await,
            None => Vec::new(),
        };
        let sources = Arc::new(Sources::new(&together(&configured, &kept), clock.now()));
        Self { configured: Mutex::new(configured), kept: Mutex::new(kept), sources, clock }
    }

    pub(super) const fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// What is configured now.
    pub(super) fn configured(&self) -> Vec<SourceConfig> {
        lock(&self.configured).clone()
    }

    /// Takes over what is configured now.
    pub(super) fn configure(&self, configured: Vec<SourceConfig>) {
        *lock(&self.configured) = configured;
        self.replace();
    }

    /// Takes over what is kept, whenever that changes.
    pub(super) async fn follow(self: Arc<Self>, kept: Arc<KeptSecrets>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match surviving("reading the kept secrets", timeout(WITHIN, kept.all())).await {
                Some(Ok(Ok(now))) if is_another(&lock(&self.kept), &now) => {
                    *lock(&self.kept) = now;
                    self.replace();
                    tracing::info!("secrets that Lectern keeps have changed, and are taken over");
                }
                Some(Ok(Err(error))) => {
                    tracing::debug!(error = %Chain(&error), "the kept secrets can't be read now");
                }
                _ => {}
            }
            tokio::select! {
                () = sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn replace(&self) {
        let together = together(&lock(&self.configured), &lock(&self.kept));
        self.sources.replace(&together, self.clock.now());
    }
}

async fn first_of(kept: &KeptSecrets) -> Vec<KeptSecret> {
    match timeout(WITHIN, kept.all()).await {
        Ok(Ok(kept)) => return kept,
        Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "the kept secrets can't be read now"),
        Err(_elapsed) => {}
    }
    kept.last_read().unwrap_or_else(|error| {
        tracing::error!(%error, "the kept secrets can't be read from this disk either");
        Vec::new()
    })
}

/// The sources, each with the secrets that are kept for it after those that are configured.
#[must_use]
pub fn together(configured: &[SourceConfig], kept: &[KeptSecret]) -> Vec<SourceConfig> {
    let mut sources = configured.to_vec();
    for KeptSecret { source, secret } in kept {
        if let Some(source) = sources.iter_mut().find(|known| known.name == *source) {
            source.secrets.push(secret.clone());
        }
    }
    sources
}

fn is_another(one: &[KeptSecret], other: &[KeptSecret]) -> bool {
    // A secret never changes under its name.
    let parts = |kept: &KeptSecret| (kept.source.clone(), kept.secret.name.clone(), kept.secret.not_after);
    one.iter().map(parts).ne(other.iter().map(parts))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic leaves nothing half done in it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
