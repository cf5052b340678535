//! Beside a Podium that is played: signing in, registering, being given up and coming back.

mod account;
mod asking;
mod journey;
pub(crate) mod world;
