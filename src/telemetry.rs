//! The log.

mod chain;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

pub use chain::Chain;

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
    let is_json = match log.format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let _started_before =
        if is_json { builder.json().try_init() } else { builder.with_ansi(is_terminal).try_init() };
}
