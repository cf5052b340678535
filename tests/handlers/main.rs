//! The kinds of handlers that come with Lectern, run as the dispatcher runs them.

#[cfg(unix)]
mod command;
mod http;
mod log;
mod support;
