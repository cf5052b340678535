//! Lectern at its front door: the real program, real HTTP, on SQLite and on PostgreSQL.

#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod controls;
mod crash;
mod delivery;
mod doctor;
mod documentation;
mod erasing;
mod events;
mod following;
mod hostile;
mod keeping;
mod metrics;
mod mirror;
mod misbehaving;
mod mute;
mod ordering;
mod outage;
mod pinned;
mod quarantine;
mod roles;
mod rotation;
mod several;
mod slow;
mod starting;
mod upkeep;
mod webhooks;
