//! The kind `command`, with real processes.

mod ends;
mod inputs;
mod processes;
mod settings;

use lectern::handlers::Handler;
use serde_json::json;

use crate::support::handler;

/// A handler that runs a line of shell.
fn shell(line: &str) -> Box<dyn Handler> {
    handler("command", json!({ "command": ["sh", "-c", line] }))
}
