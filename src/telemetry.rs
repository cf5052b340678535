//! The log, the metrics and the traces.

mod chain;
pub mod metrics;
mod surviving;
pub mod traces;
mod trouble;

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use chain::Chain;
pub use surviving::surviving;
pub use trouble::Trouble;

use crate::config::{Log, LogFormat};

/// Starts the log of this process, on standard error. Once; later calls change nothing, so that a program that has
/// its own log keeps it.
pub fn start(log: &Log) {
    let is_terminal = std::io::stderr().is_terminal();
    // The configuration has been checked: a filter that can't be read is none.
    let filter = EnvFilter::builder().parse_lossy(&log.filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would be told on standard error that standard error can't be written to, and that panics: a log whose
        // reader has gone away must not end the service.
        .log_internal_errors(false);
    let quiet = quiet(&log.filter);
    let is_json = match log.format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let _started_before = if is_json {
        builder.json().finish().with(quiet).try_init()
    } else {
        builder.with_ansi(is_terminal).finish().with(quiet).try_init()
    };
}

/// Where PostgreSQL's remarks are logged. In two parts, as a path of the crate would look as if it were used here.
const REMARKS: &str = concat!("sqlx", "::postgres::notice");

/// The client of RabbitMQ. It would log a message that comes back with its body, and what it sends with the password,
/// and both have no place in a log, whoever asks. What goes wrong with it is told by the attempts.
const INDISCREET: &str = "lapin";

/// Leaves out what PostgreSQL remarks by the way, such as `relation "_sqlx_migrations" already exists` at each start;
/// its warnings stay. A filter that speaks of sqlx gets what it asks for. And leaves out what must never be logged.
fn quiet(filter: &str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
    let is_asked_for = filter.contains("sqlx");
    filter_fn(move |event| {
        let is_remark = event.target() == REMARKS && *event.level() > Level::WARN;
        !event.target().starts_with(INDISCREET) && (is_asked_for || !is_remark)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};
    use std::sync::Arc;

    use super::*;

    fn logged(filter: &str) -> String {
        let mut file = tempfile::tempfile().unwrap();
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::builder().parse_lossy(filter))
            .with_writer(Arc::new(file.try_clone().unwrap()))
            .finish()
            .with(quiet(filter));
        tracing::subscriber::with_default(log, || {
            tracing::info!(target: REMARKS, "a remark");
            tracing::warn!(target: REMARKS, "a warning");
            tracing::info!("our own");
        });
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_the_client_of_rabbitmq_would_tell_is_not_logged_even_where_it_is_asked_for() {
        let mut file = tempfile::tempfile().unwrap();
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::builder().parse_lossy("trace,lapin=trace"))
            .with_writer(Arc::new(file.try_clone().unwrap()))
            .finish()
            .with(quiet("trace,lapin=trace"));
        tracing::subscriber::with_default(log, || {
            tracing::warn!(target: "lapin::returned_messages", "a body");
            tracing::info!("our own");
        });
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert!(text.contains("our own") && !text.contains("a body"), "{text}");
    }

    #[test]
    fn remarks_of_the_database_are_logged_only_where_they_are_asked_for() {
        for (filter, expected) in [
            ("info", [false, true, true]),
            ("debug,lectern=info", [false, true, true]),
            ("info,sqlx=debug", [true, true, true]),
            (&format!("info,{REMARKS}=info"), [true, true, true]),
            ("error", [false, false, false]),
        ] {
            let text = logged(filter);
            assert_eq!(
                ["a remark", "a warning", "our own"].map(|words| text.contains(words)),
                expected,
                "{filter}"
            );
        }
    }
}
