//! The kind `rabbitmq`, beside the RabbitMQ that `scripts/with-brokers` starts.

mod messages;
mod place;
mod proxy;
mod refusals;
mod settings;
mod trouble;
