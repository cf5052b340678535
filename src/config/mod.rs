//! Configuration: raw (as written) becomes resolved (what it means).

mod resolved;
mod settings;

pub use resolved::{
    Config, Database, DatabaseUrl, Dispatch, HandlerConfig, Internal, Log, LogFormat, NamedSecret, Public,
    Retention, Retry, SourceConfig, Verification,
};
pub use settings::{Settings, SettingsError};
