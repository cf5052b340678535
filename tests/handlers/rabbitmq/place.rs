//! A place in RabbitMQ that nobody else has: an exchange with a queue. Both go with this value.

use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use lectern::handlers::Handler;
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::handler;

pub(super) struct Place {
    pub(super) channel: Channel,
    pub(super) exchange: String,
    pub(super) queue: String,
    _connection: Connection,
}

/// What `scripts/with-brokers` says.
pub(super) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this by scripts/with-brokers"))
}

pub(super) fn url() -> Url {
    variable("LECTERN_TEST_RABBITMQ_URL").parse().unwrap()
}

impl Place {
    /// A queue that takes all that is published to a topic exchange.
    pub(super) async fn new() -> Self {
        Self::with("#", FieldTable::default()).await
    }

    /// A queue that takes what has a routing key like `key`.
    pub(super) async fn with(key: &str, arguments: FieldTable) -> Self {
        let connection = Connection::connect(url().as_str(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), options, arguments).await.unwrap().name().to_string();
        let exchange = format!("exchange-of-{queue}");
        let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
        let name = || exchange.as_str().into();
        channel.exchange_declare(name(), ExchangeKind::Topic, options, FieldTable::default()).await.unwrap();
        let options = QueueBindOptions::default();
        channel
            .queue_bind(queue.as_str().into(), name(), key.into(), options, FieldTable::default())
            .await
            .unwrap();
        Self { channel, exchange, queue, _connection: connection }
    }

    /// The settings of a handler that publishes here.
    pub(super) fn settings(&self) -> Value {
        json!({ "url": url().as_str(), "exchange": self.exchange })
    }

    pub(super) fn handler(&self) -> Box<dyn Handler> {
        handler("rabbitmq", self.settings())
    }

    /// The next message, if there is one at this moment.
    pub(super) async fn next(&self) -> Option<BasicGetMessage> {
        let options = BasicGetOptions { no_ack: true };
        self.channel.basic_get(self.queue.as_str().into(), options).await.unwrap()
    }

    /// The bodies of all messages that there are.
    pub(super) async fn bodies(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        while let Some(message) = self.next().await {
            bodies.push(String::from_utf8(message.data.clone()).unwrap());
        }
        bodies
    }
}
