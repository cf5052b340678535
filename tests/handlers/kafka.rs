//! The kind `kafka`, beside a cluster that plays Kafka's part within this process.

mod cluster;
mod gate;
mod messages;
mod settings;
mod trouble;
