//! What is needed to speak with Podium: the account, the client, the secrets that are kept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::config::{
    DataDirError, Podium, SourceConfig, encryption_key, generated_webhook_secret, has_encryption_key,
};
use crate::ingest::Inside;
use crate::podium::client::{
    AuthorizationServer, Client, ClientError, Credential, FixedToken, OAuth, OAuthError,
};
use crate::query;
use crate::store::{Database, LeaseToken, NoteStore, StoreError};
use crate::telemetry::Chain;
use crate::upkeep::{
    Account, Intake, Inward, KeptSecrets, LeadIds, People, Registrations, Repair, SealingKey,
};

/// All that is needed to speak with Podium.
#[derive(Clone)]
pub struct Outside {
    /// The account that a person has signed in with.
    pub account: Arc<Account>,
    /// Podium.
    pub client: Arc<Client>,
    /// The secrets of webhooks that Lectern has made.
    pub secrets: Arc<KeptSecrets>,
    /// The names of users.
    pub people: People,
    config: Podium,
    data_dir: PathBuf,
    database: Arc<dyn Database>,
    clock: Arc<dyn Clock>,
}

/// Podium can't be spoken with.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The key that seals can't be made or read.
    #[error(transparent)]
    Key(#[from] DataDirError),
    /// HTTPS is not possible.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The same, of signing in.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The address to come back to can't be worked out.
    #[error("`podium.redirect_url` must be set: the internal listener has no fixed port")]
    NoWayBack,
}

impl Outside {
    /// What the configuration says of Podium, on this store. `internal` is where the internal listener listens.
    ///
    /// # Errors
    /// When it can't be set up.
    pub fn new(
        config: &Podium,
        data_dir: &Path,
        internal: SocketAddr,
        database: Arc<dyn Database>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OutsideError> {
        let secret = encryption_key(config, data_dir)?;
        let key = || SealingKey::of(&secret);
        let oauth = match &config.client {
            Some(client) => {
                let server = AuthorizationServer {
                    authorize_url: config.authorize_url.clone(),
                    token_url: config.token_url.clone(),
                };
                let back = config.redirect_url.clone().map_or_else(|| way_back(internal), Ok)?;
                Some(OAuth::new(&server, &client.id, &client.secret, &back)?)
            }
            None => None,
        };
        let notes: Arc<dyn NoteStore> = Arc::clone(&database) as _;
        let account = Account::new(
            Arc::clone(&notes),
            Arc::clone(&clock),
            key(),
            oauth,
            data_dir.join("podium-tokens-pending"),
        );
        let account = Arc::new(account);
        let credential: Box<dyn Credential> = match &config.access_token {
            Some(token) => Box::new(FixedToken::new(token.clone())),
            None => Box::new(Arc::clone(&account)),
        };
        let client = Arc::new(Client::new(config.api_url.clone(), credential)?);
        let secrets = KeptSecrets::new(notes, Arc::clone(&clock), key(), data_dir.join("kept-secrets"));
        Ok(Self {
            account,
            client,
            secrets: Arc::new(secrets),
            people: People::default(),
            config: config.clone(),
            data_dir: data_dir.to_owned(),
            database,
            clock,
        })
    }

    /// What makes the webhooks at Podium what the configuration says; `sources` with the secrets that are configured.
    #[must_use]
    pub fn registrations(
        &self,
        sources: impl Fn() -> Vec<SourceConfig> + Send + Sync + 'static,
    ) -> Registrations {
        // Podium signs with what all servers know: what this one has made for itself, no other does.
        let generated = generated_webhook_secret(&self.data_dir);
        let sources = move || {
            let mut sources = sources();
            for source in &mut sources {
                source.secrets.retain(|secret| {
                    generated.as_ref().is_none_or(|own| own.expose_secret() != secret.value.expose_secret())
                });
            }
            sources
        };
        Registrations {
            client: Arc::clone(&self.client),
            wanted: self.config.webhooks.clone(),
            sources: Box::new(sources),
            secrets: Arc::clone(&self.secrets),
            notes: Arc::clone(&self.database) as _,
            clock: Arc::clone(&self.clock),
            token: LeaseToken::at(self.clock.now()),
        }
    }

    /// What reads back what was missed.
    #[must_use]
    pub fn repair(&self, intake: Arc<dyn Intake>) -> Repair {
        Repair {
            client: Arc::clone(&self.client),
            mirror: Arc::clone(&self.database) as _,
            notes: Arc::clone(&self.database) as _,
            intake,
            webhooks: self.config.webhooks.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Whether the configuration wants anything of Podium, or did once: then there may be secrets that still count.
    #[must_use]
    pub fn is_wanted(config: &Podium, data_dir: &Path) -> bool {
        config.client.is_some()
            || config.access_token.is_some()
            || !config.webhooks.is_empty()
            || has_encryption_key(config, data_dir)
    }
}

#[async_trait]
impl query::Podium for Outside {
    async fn lead_id(
        &self,
        location: &str,
        organization: &str,
        conversation: &str,
    ) -> Result<Option<Box<RawValue>>, query::Unanswered> {
        let leads = LeadIds {
            client: Arc::clone(&self.client),
            notes: Arc::clone(&self.database) as _,
            clock: Arc::clone(&self.clock),
        };
        leads.of(location, organization, conversation).await.map_err(|error| {
            tracing::warn!(error = %Chain(&error), "a lead ID can't be had");
            query::Unanswered
        })
    }

    fn name_of(&self, user: &str) -> Option<String> {
        self.people.name_of(user)
    }

    async fn end_sign_in(&self, state: &str, code: &str) -> Result<(), String> {
        self.account.end_sign_in(state, code).await.map_err(|error| Chain(&error).to_string())
    }
}

#[async_trait]
impl Intake for Inside {
    async fn take_in(&self, events: Vec<Inward>) -> Result<Vec<bool>, StoreError> {
        self.accept(events.into_iter().map(|event| (event.source, event.body, event.origin)).collect()).await
    }
}

/// The internal listener, as a browser on this machine reaches it.
fn way_back(internal: SocketAddr) -> Result<Url, OutsideError> {
    let ip = match internal.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, internal.port());
    if address.port() == 0 {
        return Err(OutsideError::NoWayBack);
    }
    Url::parse(&format!("http://{address}/oauth/callback")).map_err(|_| OutsideError::NoWayBack)
}
