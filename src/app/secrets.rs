//! The secrets of sources: those that are configured, and those that Lectern has made and keeps in the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    known: Mutex<Known>,
    sources: Arc<Sources>,
    clock: Arc<dyn Clock>,
}

/// What there is of both.
struct Known {
    configured: Vec<SourceConfig>,
    kept: Vec<KeptSecret>,
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
        Self { known: Mutex::new(Known { configured, kept }), sources, clock }
    }

    pub(super) const fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// What is configured now.
    pub(super) fn configured(&self) -> Vec<SourceConfig> {
        self.known().configured.clone()
    }

    /// Takes over what is configured now.
    pub(super) fn configure(&self, configured: Vec<SourceConfig>) {
        self.change(|known| known.configured = configured);
    }

    /// Takes over what is kept, whenever that changes.
    pub(super) async fn follow(self: Arc<Self>, kept: Arc<KeptSecrets>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match surviving("reading the kept secrets", timeout(WITHIN, kept.all())).await {
                Some(Ok(Ok(now))) if is_another(&self.known().kept, &now) => {
                    self.change(|known| known.kept = now);
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

    /// Changes what is known, and has the sources take it over before anybody else changes it: else what is older could come to
    /// them last, and stay.
    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known();
        change(&mut known);
        self.sources.replace(&together(&known.configured, &known.kept), self.clock.now());
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic leaves nothing half done in it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::clock::SystemClock;
    use crate::config::{NamedSecret, OnUnverified};

    fn secret(name: &str) -> NamedSecret {
        NamedSecret { name: name.to_owned(), value: "what-only-we-know".into(), not_after: None }
    }

    fn configured(name: &str) -> Vec<SourceConfig> {
        vec![SourceConfig {
            name: "default".to_owned(),
            secrets: vec![secret(name)],
            allow_unsigned: false,
            on_unverified: OnUnverified::Reject,
        }]
    }

    fn kept(name: &str) -> Vec<KeptSecret> {
        vec![KeptSecret { source: "default".to_owned(), secret: secret(name) }]
    }

    #[tokio::test]
    async fn of_two_changes_at_once_neither_undoes_the_other() {
        let secrets = Secrets::at_start(configured("c"), None, Arc::new(SystemClock)).await;
        for round in 0..500 {
            let (one, other) = (format!("c{round}"), format!("k{round}"));
            let together = Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    together.wait();
                    secrets.configure(configured(&one));
                });
                together.wait();
                secrets.change(|known| known.kept = kept(&other));
            });
            let source = secrets.sources().get("default").unwrap();
            let names: Vec<&str> = source.keys.iter().map(|key| key.name.as_str()).collect();
            assert_eq!(names, [&one, &other]);
        }
    }
}
