//! The kinds of handlers that come with Lectern, run as the dispatcher runs them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can not go on stops, in its helpers too")]

#[cfg(unix)]
mod command;
mod http;
mod log;
mod support;
