//! The internal REST API, asked through its router and answering from a real store.

// Says to clippy that what helps a test is a test, too.
#![cfg(test)]

#[path = "../support/postgres.rs"]
mod postgres;

mod api;
mod bodies;
mod deliveries;
mod document;
mod events;
mod handlers;
mod mirror;
mod openapi;
mod pages;
mod quarantine;
mod properties;
mod refusals;
mod replays;
mod sources;
mod stream;
mod tokens;
mod world;
