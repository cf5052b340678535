//! What arrives.

use lapin::types::{AMQPValue, FieldTable};
use lectern::handlers::Success;
use serde_json::json;

use super::place::{Place, url};
use crate::support::{HELLO, MADE, TEMPLATE, TEXT, handler, work};

#[tokio::test]
async fn an_event_arrives_byte_for_byte_with_its_facts_and_is_there_when_the_call_is_done() {
    let place = Place::new().await;
    let body = b"{\"a\": 1}\r\n\0\xff".as_slice();
    let work = work(body);

    let done = place.handler().handle(&work).await.unwrap();

    let message = place.next().await.expect("it is there");
    let output = format!("exchange `{}`, routing key `message.received`", place.exchange);
    assert_eq!(done, Success { status: None, output: Some(output) });
    assert_eq!(message.data, body);
    assert_eq!(message.routing_key.as_str(), "message.received");
    let properties = &message.properties;
    assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/json; v=1");
    assert_eq!(*properties.delivery_mode(), Some(2), "persistent");
    assert!(properties.message_id().as_ref().unwrap().as_str().starts_with(&work.delivery.id.to_string()));
    let headers = properties.headers().as_ref().unwrap().inner();
    for (name, value) in [
        ("lectern-event-id", work.event.id.to_string()),
        ("lectern-event-type", "message.received".to_owned()),
        ("lectern-delivery-id", work.delivery.id.to_string()),
        ("lectern-attempt", "2".to_owned()),
        ("lectern-ordering-key", "conversation-1".to_owned()),
    ] {
        assert_eq!(headers.get(name), Some(&AMQPValue::LongString(value.into())), "{name}");
    }
}

#[tokio::test]
async fn a_template_makes_the_body_and_its_content_type() {
    let place = Place::new().await;
    let mut settings = place.settings();
    settings["template"] = TEMPLATE.into();
    settings["content_type"] = TEXT.into();

    handler("rabbitmq", settings).handle(&work(HELLO)).await.unwrap();

    let message = place.next().await.expect("it is there");
    assert_eq!(message.data, MADE.as_bytes());
    assert_eq!(message.properties.content_type().as_ref().unwrap().as_str(), TEXT);
}

#[tokio::test]
async fn the_id_of_a_message_is_the_same_in_every_attempt_and_another_in_a_replay() {
    let place = Place::new().await;
    let handler = place.handler();
    let mut work = work("{}");
    let mut ids = Vec::new();
    for attempt in 0..3 {
        if attempt == 2 {
            work.delivery.opened_at = work.started_at;
        }
        work.delivery.attempts = attempt;
        handler.handle(&work).await.unwrap();
        ids.push(place.next().await.unwrap().properties.message_id().clone().unwrap());
    }

    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn a_queue_can_be_named_instead_of_an_exchange() {
    let place = Place::new().await;

    let settings = json!({ "url": url().as_str(), "routing_key": place.queue });
    handler("rabbitmq", settings).handle(&work("straight")).await.unwrap();

    assert_eq!(place.bodies().await, ["straight"]);
}

#[tokio::test]
async fn an_empty_body_and_one_of_many_frames_arrive() {
    let place = Place::new().await;
    let long = "x".repeat(900_000);
    let handler = place.handler();
    for body in ["", &long] {
        handler.handle(&work(body.to_owned())).await.unwrap();
    }

    assert_eq!(place.bodies().await, ["", &long]);
}

#[tokio::test]
async fn calls_side_by_side_share_a_connection_and_each_has_its_own_answer() {
    let place = Place::with("message.received", FieldTable::default()).await;
    let handler = place.handler();
    let calls = (0..24).map(|at| {
        let mut work = work(at.to_string());
        let has_a_queue = at % 3 != 0;
        if !has_a_queue {
            work.event.event_type = "call.missed".to_owned();
        }
        let handler = &handler;
        async move { (has_a_queue, handler.handle(&work).await) }
    });

    for (has_a_queue, outcome) in futures_util::future::join_all(calls).await {
        assert_eq!(has_a_queue, outcome.is_ok(), "{outcome:?}");
    }
    let mut arrived: Vec<usize> = place.bodies().await.iter().map(|body| body.parse().unwrap()).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, (0..24).filter(|at| at % 3 != 0).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_arrive_in_the_order_of_their_calls() {
    let place = Place::new().await;
    let handler = place.handler();
    let bodies: Vec<_> = (0..20).map(|at| at.to_string()).collect();
    for body in &bodies {
        handler.handle(&work(body.clone())).await.unwrap();
    }

    assert_eq!(place.bodies().await, bodies);
}
