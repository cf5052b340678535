//! Configuration: what is written becomes what is meant.
//!
//! [`Layers`] (defaults, file, environment, flags) are merged, each value keeping its origin; a `Section` reads one
//! table of the result, gathers mistakes and notes where everything is from; [`Loaded`] is the outcome, checked but
//! with nothing made yet; [`Loaded::start`] makes what a first start makes and gives the [`Config`] that the
//! rest of the house uses. [`Loaded::reread`] gives what changes without a start, and a [`Snapshot`] of all to tell
//! what else is another.

mod api_token;
mod database_url;
mod draft;
mod environment;
mod generated;
mod handlers;
mod layers;
mod loaded;
mod meaning;
mod misspelt;
mod mistake;
mod named_secrets;
mod origin;
mod podium;
mod provenance;
mod reread;
mod resolved;
mod secret;
mod section;
mod settings;
mod snapshot;
mod sources;
#[cfg(test)]
mod tests;
mod written;

pub use api_token::{ApiToken, ApiTokenError};
pub use environment::Environment;
pub(crate) use generated::random_text;
pub use generated::{DataDirError, encryption_key, generated_webhook_secret, has_encryption_key};
pub use layers::{Flag, Layers};
pub use loaded::{Loaded, SourceError, Started};
pub use mistake::Mistakes;
pub(crate) use mistake::nearest;
use origin::Origin;
pub use provenance::Provenance;
pub use reread::Reread;
pub use resolved::{
    Config, Database, DatabaseUrl, Dispatch, HandlerConfig, Internal, Log, LogFormat, NamedSecret, OnDead,
    OnUnverified, Podium, PodiumClient, Public, Quarantine, Retention, Retry, Role, SourceConfig, Spool,
    Verification, WatchdogConfig, WebhookConfig,
};
pub(crate) use secret::read as read_secret;
pub use secret::{secret, secret_as};
pub use settings::{Settings, SettingsError};
pub use snapshot::{Change, Difference, Snapshot};
