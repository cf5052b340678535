//! What both listeners share: how they serve and what they put up with, what wraps every route, how a body is read, how an
//! error looks, and health.

mod bodies;
mod connections;
mod drain;
mod health;
mod layers;
mod limits;
mod problem;
mod request_log;
mod server;
mod turn;
mod watched;

pub use bodies::{Bodies, Unread};
pub use drain::drain;
pub use health::{Health, router as health};
pub use layers::{took_too_long, wrap_internal, wrap_public};
pub use limits::Limits;
pub use problem::{Problem, ProblemBody};
pub use request_log::About;
pub use server::{bind, serve};
