//! Lectern at its front door: the real program, real HTTP, on SQLite and on PostgreSQL.

#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod controls;
mod crash;
mod delivery;
mod doctor;
mod events;
mod hostile;
mod mute;
mod outage;
mod quarantine;
mod roles;
mod rotation;
mod slow;
mod starting;
mod webhooks;
