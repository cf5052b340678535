//! Sources: the webhooks that may call, as a table that changes while requests are served.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::sync::watch;

use super::rejection::Rejection;
use super::uses::{UseCount, Uses};
use crate::config::{OnUnverified, SourceConfig};
use crate::model;
use crate::podium::SigningKey;
use crate::telemetry::metrics;

/// A registered webhook with the secrets that it may sign with.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, the last part of its URL.
    pub name: String,
    /// Its secrets, the current one first.
    pub keys: Vec<SourceKey>,
    /// Whether a request without a signature is accepted.
    pub allow_unsigned: bool,
    /// What becomes of a request that fails verification.
    pub on_unverified: OnUnverified,
}

/// A secret of a source, ready to verify with.
#[derive(Clone, Debug)]
pub struct SourceKey {
    /// What the secret is called where it must not be shown.
    pub name: String,
    /// The secret.
    pub key: SigningKey,
    /// The last moment at which it counts; none when it always does.
    pub not_after: Option<Timestamp>,
    /// Counts its use.
    pub uses: Arc<UseCount>,
}

/// The sources by name. All of them are replaced at once: a request sees the old ones or the new ones.
#[derive(Debug)]
pub struct Sources {
    table: RwLock<Arc<HashMap<String, Arc<Source>>>>,
    listed: watch::Sender<Arc<[model::Source]>>,
    uses: Arc<Uses>,
}

impl Source {
    /// The secrets that count at `now`.
    pub fn keys_at(&self, now: Timestamp) -> impl Iterator<Item = &SourceKey> {
        self.keys.iter().filter(move |key| key.not_after.is_none_or(|not_after| now <= not_after))
    }
}

impl Sources {
    /// The sources of a configuration. Logs what a person should know of them at `now`.
    #[must_use]
    pub fn new(configs: &[SourceConfig], now: Timestamp) -> Self {
        let uses = Arc::new(Uses::default());
        let sources = Self { table: RwLock::default(), listed: watch::Sender::new(Arc::new([])), uses };
        sources.replace(configs, now);
        sources
    }

    /// Takes these sources instead. What is known of the use of a secret stays, whatever it is called now.
    pub fn replace(&self, configs: &[SourceConfig], now: Timestamp) {
        let listed: Arc<[model::Source]> = configs.iter().map(SourceConfig::without_secrets).collect();
        let counts = self.uses.of(&listed, now);
        let sources = configs.iter().zip(counts).map(|(config, counts)| {
            let keys = config.secrets.iter().zip(counts).map(|(secret, uses)| SourceKey {
                name: secret.name.clone(),
                key: SigningKey::new(secret.value.expose_secret()),
                not_after: secret.not_after,
                uses,
            });
            let source = Source {
                name: config.name.clone(),
                keys: keys.collect(),
                allow_unsigned: config.allow_unsigned,
                on_unverified: config.on_unverified,
            };
            (source.name.clone(), Arc::new(source))
        });
        let table = Arc::new(sources.collect());
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        for source in &*listed {
            metrics::may_be_accepted(&source.name);
            metrics::may_be_rejected(&source.name, &Rejection::CODES);
            warn_of(source, now);
        }
        self.listed.send_replace(listed);
    }

    /// The source of this name, as it is now.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Source>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// The sources as they may be shown, always those of now.
    #[must_use]
    pub fn listed(&self) -> watch::Receiver<Arc<[model::Source]>> {
        self.listed.subscribe()
    }

    /// How their secrets are used.
    #[must_use]
    pub fn uses(&self) -> &Arc<Uses> {
        &self.uses
    }
}

fn warn_of(source: &model::Source, now: Timestamp) {
    if source.allow_unsigned {
        tracing::warn!(
            source = source.name,
            "this source accepts requests without a signature: whoever can reach it can make up events"
        );
    } else if source.secrets.iter().all(|secret| secret.is_expired(now)) {
        tracing::warn!(
            source = source.name,
            "every secret of this source is past its `not_after`: all that is sent to it is refused"
        );
    }
}
