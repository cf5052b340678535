//! What RabbitMQ refuses, and how that is said.

use lapin::types::FieldTable;
use lectern::handlers::Failure;
use serde_json::{Value, json};

use super::place::{Place, url, variable};
use crate::support::{handler, work};

/// How a call with these settings fails.
async fn failure(settings: Value) -> Failure {
    handler("rabbitmq", settings).handle(&work("{}")).await.unwrap_err()
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_a_failure_that_says_so() {
    let place = Place::with("call.*", FieldTable::default()).await;

    let failure = failure(place.settings()).await;

    let said = "has no queue for the routing key `message.received`: bind one, or correct `routing_key`";
    assert_eq!(failure, Failure::retry(format!("the exchange `{}` {said}", place.exchange)));
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_named() {
    let failure = failure(json!({ "url": url().as_str(), "routing_key": "podium-{event_type}" })).await;

    let said = "there is no queue `podium-message.received`: declare it, or correct `routing_key`; Lectern declares none";
    assert_eq!(failure, Failure::retry(said));
}

#[tokio::test]
async fn an_exchange_that_is_not_there_is_named_and_made_good_without_a_new_handler() {
    let place = Place::new().await;
    let delete = lapin::options::ExchangeDeleteOptions::default();
    place.channel.exchange_delete(place.exchange.as_str().into(), delete).await.unwrap();
    let handler = place.handler();

    for _ in 0..2 {
        let failure = handler.handle(&work("{}")).await.unwrap_err();
        let said = "declare it, or correct `exchange`; Lectern declares none";
        assert_eq!(failure, Failure::retry(format!("there is no exchange `{}`: {said}", place.exchange)));
    }

    let declare = lapin::options::ExchangeDeclareOptions::default();
    let bind = lapin::options::QueueBindOptions::default();
    let (exchange, queue) = (|| place.exchange.as_str().into(), place.queue.as_str().into());
    let fanout = lapin::ExchangeKind::Fanout;
    place.channel.exchange_declare(exchange(), fanout, declare, FieldTable::default()).await.unwrap();
    place.channel.queue_bind(queue, exchange(), "".into(), bind, FieldTable::default()).await.unwrap();
    handler.handle(&work("at last")).await.unwrap();
    assert_eq!(place.bodies().await, ["at last"]);
    place.channel.exchange_delete(exchange(), delete).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let mut wrong = url();
    wrong.set_password(Some("hunter2")).unwrap();

    let failure = failure(json!({ "url": wrong.as_str(), "exchange": "podium" })).await;

    let address = format!("RabbitMQ at 127.0.0.1:{}", wrong.port().unwrap());
    let said = "refuses the user or the password: correct them, or let them in there";
    assert_eq!(failure, Failure::retry(format!("{address} {said}")));
}

#[tokio::test]
async fn a_password_of_its_own_key_is_used() {
    let place = Place::new().await;
    let mut without = url();
    let password = without.password().unwrap().to_owned();
    without.set_password(None).unwrap();
    let mut settings = place.settings();
    settings["url"] = without.as_str().into();
    settings["password"] = password.into();

    handler("rabbitmq", settings).handle(&work("let in")).await.unwrap();

    assert_eq!(place.bodies().await, ["let in"]);
}

#[tokio::test]
async fn a_virtual_host_that_is_not_there_is_named() {
    let mut elsewhere = url();
    elsewhere.set_path("/elsewhere");

    let failure = failure(json!({ "url": elsewhere.as_str(), "exchange": "podium" })).await;

    assert!(failure.reason.contains("elsewhere"), "{failure:?}");
    assert!(failure.reason.ends_with("; check the virtual host at the end of `url`"), "{failure:?}");
}

#[tokio::test]
async fn an_exchange_that_is_closed_to_the_user_is_named() {
    let place = Place::new().await;
    let mut reader = url();
    reader.set_username("reader").unwrap();

    let failure = failure(json!({ "url": reader.as_str(), "exchange": place.exchange })).await;

    let said = "RabbitMQ lets this user not publish to the exchange";
    assert!(failure.reason.starts_with(said), "{failure:?}");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_body_that_rabbitmq_finds_too_large_is_given_up() {
    let place = Place::new().await;
    let handler = place.handler();

    let failure = handler.handle(&work("x".repeat(1_000_001))).await.unwrap_err();

    let said = "the body of 1000001 bytes is more than RabbitMQ takes: raise its `max_message_size`, and then replay this";
    assert_eq!(failure, Failure::permanent(said));
    handler.handle(&work("small")).await.unwrap();
    assert_eq!(place.bodies().await, ["small"]);
}

#[tokio::test]
async fn a_queue_that_is_full_and_refuses_more_is_a_failure() {
    let mut full = FieldTable::default();
    full.insert("x-max-length".into(), 1.into());
    full.insert("x-overflow".into(), lapin::types::AMQPValue::LongString("reject-publish".into()));
    let place = Place::with("#", full).await;
    let handler = place.handler();
    handler.handle(&work("the only one")).await.unwrap();

    let failure = handler.handle(&work("one too many")).await.unwrap_err();

    assert!(failure.reason.starts_with("a queue did not keep it"), "{failure:?}");
    assert_eq!(place.bodies().await, ["the only one"]);
}

#[tokio::test]
async fn over_tls_the_servers_certificate_is_looked_at() {
    let place = Place::new().await;
    let mut settings = place.settings();
    settings["url"] = variable("LECTERN_TEST_RABBITMQ_TLS_URL").into();

    let stranger = failure(settings.clone()).await;
    assert!(stranger.reason.contains("invalid peer certificate"), "{stranger:?}");
    assert!(stranger.reason.contains("`ca_file`"), "{stranger:?}");

    settings["ca_file"] = format!("{}/certificate.pem", variable("LECTERN_TEST_BROKERS_DIR")).into();
    handler("rabbitmq", settings).handle(&work("in secret")).await.unwrap();
    assert_eq!(place.bodies().await, ["in secret"]);
}
