//! Handlers: what is done with an event once it is safe.
//!
//! A *kind* is a way of handling (`log`, `http`, `command`, `nats`, …, or one of your own); a *handler* is a configured instance
//! of a kind. The built-in kinds are listed in [`Registry::built_in`].

mod body;
#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod broker;
#[cfg(unix)]
mod command;
mod excerpt;
mod facts;
mod handler;
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
mod registry;
mod text_table;
mod tls;

/// What `impl Handler` is marked with: it makes `async fn` possible in a trait whose implementations are chosen at run
/// time.
pub use async_trait::async_trait;
pub use body::{Body, Outgoing};
pub use handler::{Failure, Handler, Success, Work};
pub use registry::{Factory, LeftOut, Registry, UnknownKind};
