//! Webhooks as code: what is registered at Podium is made what the configuration says.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::sleep;

pub use self::plan::{Changes, Planned, Step};
use super::account::AccountError;
use super::secrets::KeptSecrets;
use crate::clock::Clock;
use crate::config::{SourceConfig, WebhookConfig};
use crate::podium::EventType;
use crate::podium::client::{Client, ClientError, NewWebhook, Webhook, WebhookChange, scope_of};
use crate::store::{LeaseToken, NoteStore, StoreError};

/// How long servers have to take up a new secret before Podium signs with it: they look every two seconds.
const TAKE_UP: Duration = Duration::from_secs(6);

/// What the right to change webhooks is leased as, and for how long: as long as Podium may take for one.
const CHANGING: &str = "podium/webhooks";
const ALONE: Duration = Duration::from_secs(120);

/// How long a secret stays good that was replaced: Podium keeps events for ten days, and they may be signed with it.
const OVERLAP: Duration = Duration::from_secs(11 * 24 * 60 * 60);

/// The webhooks as they are configured, and what makes them so.
pub struct Registrations {
    /// Podium.
    pub client: Arc<Client>,
    /// The webhooks that there should be.
    pub wanted: Vec<WebhookConfig>,
    /// The sources that they belong to, with the secrets that are configured now.
    pub sources: Box<dyn Fn() -> Vec<SourceConfig> + Send + Sync>,
    /// The secrets that are not.
    pub secrets: Arc<KeptSecrets>,
    /// Where it is kept which webhook is which.
    pub notes: Arc<dyn NoteStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What the right to change them is known by.
    pub token: LeaseToken,
}

/// Why it can't be done.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// Podium does not do it.
    #[error(transparent)]
    Podium(#[from] ClientError),
    /// What is sealed can't be read, or not be kept.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The store fails.
    #[error("the database does not do it")]
    Store(#[from] StoreError),
    /// There is no such thing.
    #[error("{0}")]
    Unknown(String),
    /// The mirror is not up to date.
    #[error("{0}")]
    Mirror(String),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The source whose webhook it is.
    pub source: String,
    /// The webhook's uid.
    pub uid: String,
    /// What was done, in words that follow "the webhook of the source … is".
    pub what: String,
}

impl Registrations {
    /// How what is registered differs from what should be, a step for each configured webhook; and the webhooks that are
    /// nobody's here.
    ///
    /// # Errors
    /// When Podium or the store does not answer.
    pub async fn plan(&self) -> Result<(Vec<Planned>, Vec<Webhook>), UpkeepError> {
        let found = self.client.webhooks().await?;
        let known = self.known().await?;
        let secrets = self.current_secrets().await?;
        Ok(plan::plan(&self.wanted, found, &known, |source| secret_of(&secrets, source)))
    }

    /// Does what was planned for one webhook.
    ///
    /// # Errors
    /// When Podium or the store does not do it; what was done by then stays.
    pub async fn apply(&self, planned: &Planned) -> Result<Option<Done>, UpkeepError> {
        self.alone().await?;
        let wanted = self.wanted(&planned.source)?;
        let done = |uid: &str, what: &str| Done {
            source: wanted.source.clone(),
            uid: uid.to_owned(),
            what: what.to_owned(),
        };
        match &planned.step {
            Step::Keep { uid } => {
                self.remember(&wanted.source, uid).await?;
                Ok(None)
            }
            Step::Create => {
                // Before Podium knows of it: whatever it signs must be accepted.
                let secret = self.secret(&wanted.source).await?;
                let new = NewWebhook {
                    url: wanted.url.to_string(),
                    event_types: wanted.event_types(),
                    secret,
                    location_uid: wanted.location.clone(),
                    organization_uid: wanted.organization.clone(),
                };
                let made = self.client.create_webhook(&new).await?;
                let uid = made.uid.ok_or_else(|| {
                    ClientError::Unreadable("a webhook was registered that has no uid".to_owned())
                })?;
                self.remember(&wanted.source, &uid).await?;
                Ok(Some(done(&uid, "registered")))
            }
            Step::Change { uid, changes } => {
                let secret = if changes.secret { Some(self.secret(&wanted.source).await?) } else { None };
                let change = WebhookChange {
                    url: changes.url.as_ref().map(|_| wanted.url.to_string()),
                    event_types: changes.types.as_ref().map(|_| wanted.event_types()),
                    disabled: changes.disabled.then_some(false),
                    secret,
                };
                self.client.update_webhook(uid, &change).await?;
                self.remember(&wanted.source, uid).await?;
                Ok(Some(done(uid, "changed")))
            }
        }
    }

    /// Gives a webhook a new secret. The ones before stay good until what is signed with them has come.
    ///
    /// # Errors
    /// When Podium or the store does not do it. A new secret that Podium does not know is forgotten.
    pub async fn rotate(&self, source: &str) -> Result<(Done, Vec<String>), UpkeepError> {
        self.alone().await?;
        let wanted = self.wanted(source)?;
        let uid = self.registered(wanted).await?;
        let new = self.secrets.make(source).await?;
        sleep(TAKE_UP).await;
        let change = WebhookChange { secret: Some(new.value.clone()), ..WebhookChange::default() };
        if let Err(error) = self.client.update_webhook(&uid, &change).await {
            // Unless it is not known what became of it: then Podium may sign with it.
            if !error.is_passing() {
                self.secrets.forget(source, &new.name).await?;
            }
            return Err(error.into());
        }
        let now = self.clock.now();
        let not_after = now.checked_add(OVERLAP).unwrap_or(Timestamp::MAX);
        let retired = self.secrets.retire_all_but(source, &new.name, not_after).await?;
        Ok((
            Done { source: source.to_owned(), uid, what: format!("signed with `{}` now", new.name) },
            retired,
        ))
    }

    /// Takes a webhook away. Its secrets stay: what it has sent may still be on its way.
    ///
    /// # Errors
    /// When Podium or the store does not do it.
    pub async fn delete(&self, uid: &str) -> Result<(), UpkeepError> {
        self.client.delete_webhook(uid).await?;
        for (source, known) in self.known().await? {
            if known == uid {
                let name = note_name(&source);
                if let Some(note) = self.notes.note(&name).await? {
                    self.notes.erase_note(&name, note.version).await?;
                }
            }
        }
        Ok(())
    }

    /// Lets others change webhooks again.
    pub async fn end(&self) {
        let now = self.clock.now();
        // Where this fails, the lease ends by itself.
        let _ = self.notes.lease_task(CHANGING, self.token, now, now).await;
    }

    /// The scopes that the webhooks need and `granted` has not, each with the first event type that needs it.
    #[must_use]
    pub fn lacking_scopes(&self, granted: &[String]) -> Vec<(&'static str, EventType)> {
        let mut lacking: Vec<(&'static str, EventType)> = Vec::new();
        for event_type in self.wanted.iter().flat_map(WebhookConfig::event_types) {
            if let Some(scope) = scope_of(&event_type)
                && !granted.iter().any(|granted| granted == scope)
                && !lacking.iter().any(|(known, _)| *known == scope)
            {
                lacking.push((scope, event_type));
            }
        }
        lacking
    }

    /// What the webhook of a source is signed with: the newest that is kept, else the first that is configured, else one that
    /// is made now.
    async fn secret(&self, source: &str) -> Result<SecretString, UpkeepError> {
        if let Some(secret) = secret_of(&self.current_secrets().await?, source) {
            return Ok(secret);
        }
        let made = self.secrets.make(source).await?;
        sleep(TAKE_UP).await;
        Ok(made.value)
    }

    /// Of each source the secret that its webhook is to be signed with.
    async fn current_secrets(&self) -> Result<Vec<(String, SecretString)>, UpkeepError> {
        let kept = self.secrets.all().await?.into_iter().map(|kept| (kept.source, kept.secret));
        let configured = (self.sources)().into_iter().flat_map(|source| {
            let name = source.name;
            source.secrets.into_iter().map(move |secret| (name.clone(), secret))
        });
        let lasting = kept.chain(configured).filter(|(_, secret)| secret.not_after.is_none());
        Ok(lasting.map(|(source, secret)| (source, secret.value)).collect())
    }

    /// Two who change webhooks at once would register them twice, and retire each other's secrets.
    async fn alone(&self) -> Result<(), UpkeepError> {
        let now = self.clock.now();
        let until = now.checked_add(ALONE).unwrap_or(now);
        if self.notes.lease_task(CHANGING, self.token, now, until).await? {
            return Ok(());
        }
        Err(UpkeepError::Unknown("another changes webhooks at this moment: wait for two minutes".to_owned()))
    }

    async fn registered(&self, wanted: &WebhookConfig) -> Result<String, UpkeepError> {
        let (planned, _) = self.plan().await?;
        let step = planned.into_iter().find(|planned| planned.source == wanted.source);
        match step.map(|planned| planned.step) {
            Some(Step::Keep { uid } | Step::Change { uid, .. }) => Ok(uid),
            _ => Err(UpkeepError::Unknown(format!(
                "the webhook of the source `{}` is not registered: `lectern webhooks apply` does it",
                wanted.source
            ))),
        }
    }

    fn wanted(&self, source: &str) -> Result<&WebhookConfig, UpkeepError> {
        self.wanted.iter().find(|wanted| wanted.source == source).ok_or_else(|| {
            UpkeepError::Unknown(format!(
                "no `[[podium.webhooks]]` of the configuration is for the source `{source}`"
            ))
        })
    }

    /// Which webhook is which source's, as far as it was ever seen.
    pub(super) async fn known(&self) -> Result<Vec<(String, String)>, UpkeepError> {
        let notes = self.notes.notes_under(UNDER).await?;
        let known = notes.into_iter().map(|(name, note)| {
            let uid = String::from_utf8_lossy(&note.content).into_owned();
            (name.strip_prefix(UNDER).unwrap_or_default().to_owned(), uid)
        });
        Ok(known.collect())
    }

    async fn remember(&self, source: &str, uid: &str) -> Result<(), UpkeepError> {
        let name = note_name(source);
        let note = self.notes.note(&name).await?;
        if note.as_ref().is_none_or(|note| note.content != uid.as_bytes()) {
            let version = note.map_or(0, |note| note.version);
            self.notes.write_note(&name, uid.as_bytes(), version, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// What the names of the notes begin with that say which webhook is which source's.
const UNDER: &str = "webhook/";

fn note_name(source: &str) -> String {
    format!("{UNDER}{source}")
}

fn secret_of(secrets: &[(String, SecretString)], source: &str) -> Option<SecretString> {
    secrets.iter().find(|(of, _)| of == source).map(|(_, secret)| secret.clone())
}
