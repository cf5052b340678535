//! The internal REST API, asked through its router and answering from a real store.

// Says to clippy that what helps a test is a test, too.
#![cfg(test)]

mod api;
mod bodies;
mod deliveries;
mod events;
mod handlers;
mod mirror;
mod pages;
mod quarantine;
mod refusals;
mod replays;
mod sources;
mod stream;
mod tokens;
