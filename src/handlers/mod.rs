//! Handlers: what is done with an event once it is safe.
//!
//! A *kind* is a way of handling (`log`, `http`, `command`, or one of your own); a *handler* is a configured instance
//! of a kind. The built-in kinds are listed in [`Registry::built_in`].

mod handler;
mod registry;

pub use handler::{Failure, Handler, Success, Work};
pub use registry::{Factory, Registry, UnknownKind};
