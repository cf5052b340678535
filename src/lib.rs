//! Lectern receives what Podium says.
//!
//! A request comes in at the public listener and goes one way through the house. [`ingest`] receives its bytes,
//! verifies the signature over them, decodes what they say and accepts the event: [`store`] writes it, in one
//! transaction with a delivery for each handler that wants it, and only then is the request answered 200. From there
//! on nobody waits. [`dispatch`] claims the deliveries, runs the [`handlers`] that owe them and settles what became of
//! it, again and again until each is done or given up. The [`mirror`] makes the picture that events give. Other systems ask what arrived through [`query`], at the
//! internal listener. That Podium goes on sending is [`upkeep`], for whose tests there is a [`simulator`]. Who asks to be forgotten, [`erasure`] finds in all of it; [`moving`] carries it to another database. Why a request was not accepted, the [`doctor`] knows. Which events a handler wants, and what is made
//! of one, a configuration can say in the language of [`shape`].
//!
//! The rooms stand here in the order of that journey.

pub mod cli;
pub mod config;
pub mod app;

pub mod http;
pub mod podium;
pub mod ingest;
pub mod store;
pub mod spool;
pub mod dispatch;
pub mod handlers;
pub mod mirror;
pub mod query;
pub mod upkeep;
pub mod erasure;
pub mod moving;
pub mod doctor;
pub mod simulator;

pub mod clock;
pub mod model;
pub mod shape;
pub mod telemetry;
