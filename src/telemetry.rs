//! The log.

mod chain;

pub use chain::Chain;
