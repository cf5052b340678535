//! What the configuration means: every value is there, checked, and in the type that its user needs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::Settings;
pub use crate::model::OnDead;
use crate::model::{
    Forgettable, HandlerConfiguration, Secret, SecretDigest, Source, Subscription, TypePattern,
};
use crate::podium::EventType;
use crate::shape::Condition;

/// The whole configuration.
#[derive(Debug)]
pub struct Config {
    /// The folder for what Lectern keeps beside the database, and for the SQLite database itself.
    pub data_dir: PathBuf,
    /// What this process does.
    pub role: Role,
    /// The public listener, where Podium calls.
    pub public: Public,
    /// The internal listener, where your own systems call.
    pub internal: Internal,
    /// The database.
    pub database: Database,
    /// Where events wait while the database is away.
    pub spool: Spool,
    /// Which signatures are still good.
    pub verification: Verification,
    /// How long things are kept.
    pub retention: Retention,
    /// What is kept of requests that fail verification.
    pub quarantine: Quarantine,
    /// The webhooks that may call, by name.
    pub sources: Vec<SourceConfig>,
    /// What is done with events.
    pub handlers: Vec<HandlerConfig>,
    /// How the work is taken up.
    pub dispatch: Dispatch,
    /// The log.
    pub log: Log,
    /// What is done at Podium itself.
    pub podium: Podium,
}

/// What is done at Podium itself.
#[derive(Clone, Debug)]
pub struct Podium {
    /// Where the REST API is.
    pub api_url: Url,
    /// Where a person allows the use of an account.
    pub authorize_url: Url,
    /// Where tokens are given.
    pub token_url: Url,
    /// The application that people sign in for.
    pub client: Option<PodiumClient>,
    /// Where Podium leads back to; none for the internal listener.
    pub redirect_url: Option<Url>,
    /// What is asked for when somebody signs in.
    pub scopes: Vec<String>,
    /// A token to ask with, instead of signing in.
    pub access_token: Option<SecretString>,
    /// What tokens and secrets are sealed with in the store; none for what the data folder has.
    pub encryption_key: Option<SecretString>,
    /// The webhooks that there should be.
    pub webhooks: Vec<WebhookConfig>,
    /// How it is watched whether Podium sends.
    pub watchdog: WatchdogConfig,
}

/// The application that people sign in to Podium for.
#[derive(Clone, Debug)]
pub struct PodiumClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// A webhook that there should be at Podium.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// The source that its events belong to.
    pub source: String,
    /// Where Podium is to send them.
    pub url: Url,
    /// The location whose events are wanted, unless it is an organization's.
    pub location: Option<String>,
    /// The organization whose events are wanted.
    pub organization: Option<String>,
    /// The types of events that are wanted.
    pub events: Vec<TypePattern>,
}

impl WebhookConfig {
    /// The types that are wanted, of those that Podium documents.
    #[must_use]
    pub fn event_types(&self) -> Vec<EventType> {
        let is_wanted =
            |event_type: &&EventType| self.events.iter().any(|pattern| pattern.matches(event_type.as_str()));
        EventType::ALL.iter().filter(is_wanted).cloned().collect()
    }
}

/// How it is watched whether Podium sends.
#[derive(Clone, Copy, Debug)]
pub struct WatchdogConfig {
    /// How often Podium is asked how the webhooks are.
    pub check_every: Duration,
    /// How often a day a webhook is enabled again that Podium has disabled.
    pub enable_tries: u32,
    /// After how long without an event a source is called silent; none for twice its own usual.
    pub silence: Option<Duration>,
    /// After how long without any process of Lectern's what was missed is read back; none for never.
    pub repair_after: Option<Duration>,
}

/// What a process does, of those that share a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// It takes webhooks, and calls no handlers.
    Receive,
    /// It calls handlers, and takes no webhooks.
    Dispatch,
}

impl Role {
    /// The role's name, as the configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Receive => "receive",
            Self::Dispatch => "dispatch",
        }
    }

    /// Whether it takes webhooks.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::All | Self::Receive)
    }

    /// Whether it calls handlers.
    #[must_use]
    pub const fn dispatches(self) -> bool {
        matches!(self, Self::All | Self::Dispatch)
    }
}

/// The public listener.
#[derive(Clone, Debug)]
pub struct Public {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The largest body that is read, in bytes.
    pub max_body: usize,
    /// How many connections it has at once.
    pub max_connections: u32,
    /// How long a request may wait for the store before it goes to the spool.
    pub store_deadline: Duration,
}

/// The internal listener.
#[derive(Clone, Debug)]
pub struct Internal {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The token that opens it, besides those in the store.
    pub api_token: SecretString,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which one.
    pub url: DatabaseUrl,
    /// How many connections at most.
    pub max_connections: u32,
    /// How many batches of events are written side by side; one in SQLite, whatever is said here.
    pub lanes: u32,
}

/// Where events wait while the database is away.
#[derive(Clone, Debug)]
pub struct Spool {
    /// The folder.
    pub dir: PathBuf,
    /// How much it may hold.
    pub max_bytes: u64,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// The file of an SQLite database.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL, which may hold a password.
    Postgres(SecretString),
}

/// Which signatures are still good.
#[derive(Clone, Copy, Debug)]
pub struct Verification {
    /// How old a signature may be.
    pub max_age: Duration,
    /// How far in the future a signature may lie, for clocks that differ.
    pub max_future: Duration,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// How long closed deliveries are kept, with their attempts. Never longer than bodies.
    pub deliveries: Duration,
    /// How long bodies are kept, and headers. Never longer than events.
    pub bodies: Duration,
    /// How long an event is kept, and so recognised when it comes again. Never shorter than the whole window of
    /// [`Verification`].
    pub events: Duration,
    /// How long requests in quarantine are kept.
    pub quarantine: Duration,
}

impl Retention {
    /// Before which moment each is old, in the order in which they are forgotten.
    #[must_use]
    pub fn limits(&self, now: Timestamp) -> [(Forgettable, Timestamp); 4] {
        Forgettable::ALL.map(|what| {
            let age = match what {
                Forgettable::Deliveries => self.deliveries,
                Forgettable::Bodies => self.bodies,
                Forgettable::Events => self.events,
                Forgettable::Quarantined => self.quarantine,
            };
            (what, now.checked_sub(age).unwrap_or(Timestamp::MIN))
        })
    }
}

/// What is kept of requests that fail verification.
#[derive(Clone, Copy, Debug)]
pub struct Quarantine {
    /// How many requests; none when it is 0.
    pub max_requests: u32,
    /// How much their bodies and headers may come to, in bytes.
    pub max_bytes: usize,
    /// How many rejected ones a minute, of each source.
    pub max_per_minute: u32,
}

/// A webhook that may call.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Its name, the last part of its URL.
    pub name: String,
    /// The secrets that it may sign with, the current one first.
    pub secrets: Vec<NamedSecret>,
    /// Whether a request without a signature is accepted.
    pub allow_unsigned: bool,
    /// What becomes of a request that fails verification.
    pub on_unverified: OnUnverified,
}

/// What becomes of a request that fails verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnverified {
    /// It is refused, and kept as far as there is room.
    Reject,
    /// It is kept and acknowledged, or refused where there is no room.
    Hold,
}

/// A secret, and what it is called where it must not be shown.
#[derive(Clone, Debug)]
pub struct NamedSecret {
    /// Such as `current` or `previous`.
    pub name: String,
    /// The secret itself.
    pub value: SecretString,
    /// The last moment at which it counts; none when it always does.
    pub not_after: Option<Timestamp>,
}

impl SourceConfig {
    /// The source as it may be shown.
    #[must_use]
    pub fn without_secrets(&self) -> Source {
        let secrets = self.secrets.iter().map(|secret| Secret {
            name: secret.name.clone(),
            digest: SecretDigest::of(&self.name, secret.value.expose_secret()),
            not_after: secret.not_after,
        });
        Source { name: self.name.clone(), allow_unsigned: self.allow_unsigned, secrets: secrets.collect() }
    }
}

/// A configured handler.
#[derive(Debug)]
pub struct HandlerConfig {
    /// Its name, and which events it wants in which order.
    pub subscription: Subscription,
    /// Which of those events it wants only; none when it wants them all.
    pub when: Option<Condition>,
    /// The kind that it is an instance of.
    pub kind: String,
    /// The keys that its kind understands.
    pub settings: Settings,
    /// How many calls may run side by side.
    pub concurrency: u32,
    /// How long one call may take.
    pub timeout: Duration,
    /// What happens after a failure.
    pub retry: Retry,
    /// What becomes of the later deliveries of a conversation in which one is given up.
    pub on_dead: OnDead,
}

impl HandlerConfig {
    /// The handler as it may be shown.
    #[must_use]
    pub fn without_settings(&self) -> HandlerConfiguration {
        HandlerConfiguration {
            name: self.subscription.handler.clone(),
            kind: self.kind.clone(),
            events: self.subscription.types.clone(),
            locations: self.subscription.locations.clone(),
            concurrency: self.concurrency,
            ordering: self.subscription.ordering,
            on_dead: self.on_dead,
        }
    }
}

/// What happens after a failure: the wait doubles from `initial` to `max_interval`, and the delivery is given up after
/// `max_attempts` or when it is older than `max_age`, whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The wait after the first failure.
    pub initial: Duration,
    /// The longest wait.
    pub max_interval: Duration,
    /// How many attempts at most.
    pub max_attempts: u32,
    /// How long after the duty began a further attempt may still be made.
    pub max_age: Duration,
}

/// How the work is taken up.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch {
    /// How long a process may hold a queue without a sign of life.
    pub lease: Duration,
    /// How often to look for work that nothing announced.
    pub poll_interval: Duration,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Log {
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
