//! Kinds of handlers: those that come with Lectern, run as the dispatcher runs them, and some of one's own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops, wherever it stands")]

#[cfg(any(feature = "nats", feature = "redis"))]
mod brokers;
#[cfg(unix)]
mod command;
mod custom;
mod http;
#[cfg(feature = "kafka")]
mod kafka;
mod log;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "redis")]
mod redis;
mod support;
