//! The kind `kafka`: writes the event to a topic.
//!
//! The body goes out exactly as it came in, or as a template makes it, keyed by the ordering key, so that the events of a
//! conversation are in one partition and keep their order. A call is done when all in-sync replicas have the message,
//! never before.
//!
//! Order: calls of one key come one after another, one producer serves them all, and it keeps what is of one partition
//! in a row, repetitions of its own included (it is idempotent). What it could not deliver it drops before the call's time
//! is over, so that nothing comes up minutes later behind its successors.

mod failure;
mod message;
mod producer;
mod security;
mod settings;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use self::failure::Context;
use self::producer::Producers;
use super::broker::{Address, Message};
use super::{Body, Failure, Handler, Success, Work};
use crate::config::{Settings, SettingsError};

/// It has no `Debug`: the producers' settings hold a password.
struct Kafka {
    topic: Address,
    body: Body,
    producers: Producers,
}

/// Makes a handler of this kind.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    let (body, written) = Body::read_beside(settings)?;
    let settings::Checked { topic, config } = settings::check(written)?;
    Ok(Box::new(Kafka { topic, body, producers: Producers::new(config)? }))
}

#[async_trait]
impl Handler for Kafka {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        let deadline = Instant::now() + work.timeout;
        let message = Message::of(work, &self.body)?;
        let topic = self.topic.of(&message);
        let producer = self.producers.get(work.timeout)?;
        let context =
            Context { topic: &topic, message: &message, timeout: work.timeout, producer: &producer };
        let record = message::record(&topic, &work.delivery.ordering_key, &message);
        let report = producer.send(record).map_err(|error| context.failure(&error))?;
        match timeout_at(deadline, report).await {
            Ok(Ok(Ok(delivery))) => {
                producer.is_well();
                let place =
                    format!("topic {topic}, partition {}, offset {}", delivery.partition, delivery.offset);
                Ok(Success { status: None, output: Some(place) })
            }
            Ok(Ok(Err((error, _message)))) => Err(context.failure(&error)),
            Ok(Err(_canceled)) => Err(Failure::retry("the client ended before the brokers had answered")),
            Err(_elapsed) => Err(context.timed_out()),
        }
    }
}
