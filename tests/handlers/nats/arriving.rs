//! What arrives.

use async_nats::jetstream::stream::Config;
use futures_util::future::join_all;
use lectern::model::DeliveryId;
use serde_json::json;

use super::{Inbox, own_server};
use crate::support::{HELLO, MADE, TEMPLATE, TEXT, handler, work};

#[tokio::test]
async fn the_body_arrives_byte_for_byte_with_what_is_told_beside_it() {
    let inbox = Inbox::new().await;
    let mut body: Vec<u8> = (0..=255).collect();
    body.extend_from_slice(b"{ \"data\" : 1 }\r\n");
    let mut work = work(body.clone());
    work.event.contact_uid = Some("größer".to_owned());

    let done = inbox.handler().handle(&work).await.unwrap();

    assert_eq!(done.output.unwrap(), format!("stream {}, sequence 1", inbox.name));
    let message = inbox.message(1).await;
    assert_eq!(message.payload, body);
    assert_eq!(message.subject.as_str(), format!("{}.message.received", inbox.name));
    let headers: Vec<_> = message
        .headers
        .iter()
        .map(|(name, values)| {
            assert_eq!(values.len(), 1, "{name}");
            (name.to_string(), values[0].to_string())
        })
        .collect();
    let told = |name: &str| {
        headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let opened_at = work.delivery.opened_at.as_microsecond();
    assert_eq!(told("Nats-Msg-Id"), format!("{}-{opened_at}", work.delivery.id));
    for (name, value) in [
        ("content-type", "application/json; v=1"),
        ("lectern-event-id", &work.event.id.to_string()),
        ("lectern-event-type", "message.received"),
        ("lectern-event-uid", "event-1"),
        ("lectern-subject-uid", "message-1"),
        ("lectern-conversation-uid", "conversation-1"),
        ("lectern-contact-uid", "größer"),
        ("lectern-location-uid", "location-1"),
        ("lectern-received-at", "2026-01-02T03:04:05Z"),
        ("lectern-source", "default"),
        ("lectern-handler", "mine"),
        ("lectern-ordering-key", "conversation-1"),
        ("lectern-delivery-id", &work.delivery.id.to_string()),
        ("lectern-attempt", "2"),
    ] {
        assert_eq!(told(name), value, "{name}");
    }
    assert_eq!(headers.len(), 15, "and nothing else: {headers:?}");
}

#[tokio::test]
async fn a_template_makes_the_body_and_its_content_type() {
    let inbox = Inbox::new().await;
    let subject = format!("{}.all", inbox.name);
    let settings =
        json!({ "url": inbox.url, "subject": subject, "template": TEMPLATE, "content_type": TEXT });

    handler("nats", settings).handle(&work(HELLO)).await.unwrap();

    let message = inbox.message(1).await;
    assert_eq!(message.payload, MADE);
    assert_eq!(message.headers.get("content-type").unwrap().as_str(), TEXT);
}

#[tokio::test]
async fn a_further_attempt_at_a_delivery_is_kept_out_and_done() {
    let inbox = Inbox::new().await;
    let handler = inbox.handler();
    let mut work = work("{}");
    handler.handle(&work).await.unwrap();

    work.delivery.attempts += 1;
    let done = handler.handle(&work).await.unwrap();

    assert_eq!(done.output.unwrap(), format!("stream {}, sequence 1, where it was already", inbox.name));
    assert_eq!(inbox.count().await, 1);
}

#[tokio::test]
async fn a_replay_arrives_again_and_so_does_another_handlers_delivery() {
    let inbox = Inbox::new().await;
    let handler = inbox.handler();
    let mut work = work("{}");
    handler.handle(&work).await.unwrap();

    work.delivery.opened_at = "2026-01-02T03:05:00Z".parse().unwrap();
    handler.handle(&work).await.unwrap();
    assert_eq!(inbox.count().await, 2, "a replay begins the duty anew");

    work.delivery.id = DeliveryId::at(work.event.received_at);
    handler.handle(&work).await.unwrap();
    assert_eq!(inbox.count().await, 3);
}

#[tokio::test]
async fn an_event_type_that_is_no_subject_arrives_under_a_tame_one() {
    let inbox = Inbox::new().await;
    let mut work = work("{}");
    work.event.event_type = "größer als.*..>".to_owned();

    inbox.handler().handle(&work).await.unwrap();

    let message = inbox.message(1).await;
    assert_eq!(message.subject.as_str(), format!("{}.gr__er_als._._._", inbox.name));
    assert_eq!(message.headers.get("lectern-event-type").unwrap().as_str(), "größer als.*..>");
}

#[tokio::test]
async fn calls_side_by_side_share_one_connection() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;
    let before = connections(&server.log());
    let handler = inbox.handler();
    let works: Vec<_> = (0..50).map(|_| work("{}")).collect();

    for outcome in join_all(works.iter().map(|work| handler.handle(work))).await {
        outcome.unwrap();
    }

    assert_eq!(inbox.count().await, 50);
    assert_eq!(connections(&server.log()) - before, 1);
}

/// How many connections the server has made.
fn connections(log: &str) -> usize {
    log.matches("Client connection created").count()
}

#[tokio::test]
async fn a_password_can_come_from_a_file_and_the_right_server_is_found_among_several() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    // Port 1 is nobody's.
    let url = format!("nats://lectern@127.0.0.1:1,nats://127.0.0.1:{}", server.port);
    let subject = format!("{}.all", inbox.name);
    let settings = json!({ "url": url, "subject": subject, "password_file": file.path() });

    handler("nats", settings).handle(&work("{}")).await.unwrap();

    assert_eq!(inbox.message(1).await.subject.as_str(), subject);
}
