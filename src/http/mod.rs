//! What both listeners share: how they serve, what wraps every route, how an error looks, and health.

mod drain;
mod health;
mod layers;
mod problem;
mod server;

pub use drain::drain;
pub use health::{Health, router as health};
pub use layers::wrap;
pub use problem::Problem;
pub use server::{bind, serve};
