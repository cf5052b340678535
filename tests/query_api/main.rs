//! The internal REST API, asked through its router and answering from a real store.

mod api;
mod bodies;
mod deliveries;
mod events;
mod pages;
mod refusals;
mod tokens;
