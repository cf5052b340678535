//! A cluster of one broker, and a reader of what is in it.

use std::collections::BTreeMap;
use std::time::Duration;

use lectern::handlers::Handler;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{Headers, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::json;
use tokio::time::timeout;

use crate::support::handler;

pub(super) const TOPIC: &str = "podium";
/// The only broker.
pub(super) const BROKER: i32 = 1;
const PARTITIONS: i32 = 3;

pub(super) struct Cluster {
    pub(super) broker: MockCluster<'static, DefaultProducerContext>,
}

impl Cluster {
    pub(super) fn start() -> Self {
        let broker = MockCluster::new(1).unwrap();
        broker.create_topic(TOPIC, PARTITIONS, 1).unwrap();
        Self { broker }
    }

    pub(super) fn handler(&self) -> Box<dyn Handler> {
        self.handler_for(TOPIC)
    }

    pub(super) fn handler_for(&self, topic: &str) -> Box<dyn Handler> {
        handler("kafka", json!({ "brokers": [self.broker.bootstrap_servers()], "topic": topic }))
    }

    /// The first `count` messages of the topic, those of one partition in their order.
    pub(super) async fn messages(&self, count: usize) -> Vec<OwnedMessage> {
        let reader = self.reader();
        let mut messages = Vec::new();
        while messages.len() < count {
            let message = timeout(Duration::from_secs(20), reader.recv()).await.expect("a message comes");
            messages.push(message.unwrap().detach());
        }
        messages
    }

    /// How many messages there are.
    pub(super) async fn count(&self) -> i64 {
        let reader = self.reader();
        let all = tokio::task::spawn_blocking(move || {
            let ends = |at| reader.fetch_watermarks(TOPIC, at, Duration::from_secs(20)).unwrap();
            (0..PARTITIONS).map(ends).map(|(low, high)| high - low).sum()
        });
        all.await.unwrap()
    }

    fn reader(&self) -> StreamConsumer {
        let reader: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.broker.bootstrap_servers())
            .set("group.id", "reader")
            .create()
            .unwrap();
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions.add_partition_offset(TOPIC, partition, Offset::Beginning).unwrap();
        }
        reader.assign(&partitions).unwrap();
        reader
    }
}

/// A message's headers.
pub(super) fn headers(message: &OwnedMessage) -> BTreeMap<String, String> {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    let all = message.headers().unwrap().iter();
    all.map(|header| (header.key.to_owned(), text(header.value))).collect()
}
