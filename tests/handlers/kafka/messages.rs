//! What arrives.

use lectern::handlers::Success;
use rdkafka::Message;
use serde_json::json;

use super::cluster::{Cluster, TOPIC, headers};
use crate::support::{HELLO, MADE, TEMPLATE, TEXT, handler, work};

#[tokio::test]
async fn an_event_arrives_byte_for_byte_under_its_ordering_key_with_its_facts() {
    let cluster = Cluster::start();
    let body = b"{\"a\": 1}\r\n\0\xff".as_slice();
    let work = work(body);

    let done = cluster.handler().handle(&work).await.unwrap();

    let message = &cluster.messages(1).await[0];
    let place = format!("topic podium, partition {}, offset 0", message.partition());
    assert_eq!(done, Success { status: None, output: Some(place) });
    assert_eq!(message.topic(), TOPIC);
    assert_eq!(message.payload(), Some(body));
    assert_eq!(message.key(), Some(b"conversation-1".as_slice()));
    let headers = headers(message);
    for (key, value) in [
        ("content-type", "application/json; v=1"),
        ("lectern-event-id", &work.event.id.to_string()),
        ("lectern-event-type", "message.received"),
        ("lectern-delivery-id", &work.delivery.id.to_string()),
        ("lectern-attempt", "2"),
        ("lectern-ordering-key", "conversation-1"),
    ] {
        assert_eq!(headers.get(key).map(String::as_str), Some(value), "{key}");
    }
}

#[tokio::test]
async fn a_template_makes_the_body_and_its_content_type() {
    let cluster = Cluster::start();
    let settings = json!({
        "brokers": [cluster.broker.bootstrap_servers()],
        "topic": TOPIC,
        "template": TEMPLATE,
        "content_type": TEXT,
    });

    handler("kafka", settings).handle(&work(HELLO)).await.unwrap();

    let message = &cluster.messages(1).await[0];
    assert_eq!(message.payload(), Some(MADE.as_bytes()));
    assert_eq!(headers(message)["content-type"], TEXT);
}

#[tokio::test]
async fn the_id_of_a_message_is_the_same_in_every_attempt_and_another_in_a_replay() {
    let cluster = Cluster::start();
    let handler = cluster.handler();
    let mut work = work("{}");
    handler.handle(&work).await.unwrap();
    work.delivery.attempts += 1;
    handler.handle(&work).await.unwrap();
    work.delivery.opened_at = work.started_at;
    handler.handle(&work).await.unwrap();

    let ids: Vec<_> = cluster
        .messages(3)
        .await
        .iter()
        .map(|message| headers(message)["lectern-message-id"].clone())
        .collect();

    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn a_topic_can_be_named_by_the_event_type() {
    let cluster = Cluster::start();
    cluster.broker.create_topic("podium.message.received", 1, 1).unwrap();

    let done = cluster.handler_for("podium.{event_type}").handle(&work("{}")).await.unwrap();

    assert_eq!(done.output.as_deref(), Some("topic podium.message.received, partition 0, offset 0"));
}

#[tokio::test]
async fn an_empty_body_is_an_empty_message_and_no_tombstone() {
    let cluster = Cluster::start();

    cluster.handler().handle(&work("")).await.unwrap();

    assert_eq!(cluster.messages(1).await[0].payload(), Some(b"".as_slice()));
}

#[tokio::test]
async fn events_of_one_key_are_in_one_partition_in_their_order() {
    let cluster = Cluster::start();
    let handler = cluster.handler();
    for at in 0..12 {
        let mut work = work(at.to_string());
        work.delivery.ordering_key = format!("conversation-{}", at % 4);
        handler.handle(&work).await.unwrap();
    }

    let messages = cluster.messages(12).await;

    for key in 0..4 {
        let name = format!("conversation-{key}");
        let of_key: Vec<_> =
            messages.iter().filter(|message| message.key() == Some(name.as_bytes())).collect();
        let bodies: Vec<_> = of_key.iter().map(|message| message.payload().unwrap()).collect();
        assert_eq!(bodies, [key, key + 4, key + 8].map(|at| at.to_string().into_bytes()));
        assert!(of_key.iter().all(|message| message.partition() == of_key[0].partition()));
    }
}
