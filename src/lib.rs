//! Lectern receives what Podium says: it verifies a webhook, makes it durable, answers 200, and then hands the
//! event to handlers; people query what arrived.

pub mod clock;
pub mod config;
pub mod handlers;
pub mod http;
pub mod model;
pub mod podium;
pub mod query;
pub mod store;
