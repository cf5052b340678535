//! What arrives.

use futures_util::future::join_all;
use serde_json::json;

use super::{Inbox, own_server};
use crate::support::{HELLO, MADE, TEMPLATE, TEXT, handler, work};

#[tokio::test]
async fn the_body_arrives_byte_for_byte_with_what_is_told_beside_it() {
    let inbox = Inbox::new();
    let mut body: Vec<u8> = (0..=255).collect();
    body.extend_from_slice(b"{ \"data\" : 1 }\r\n");
    let mut work = work(body.clone());
    work.event.contact_uid = Some("größer".to_owned());

    let done = inbox.handler().handle(&work).await.unwrap();

    let mut entries = inbox.entries().await;
    assert_eq!(entries.len(), 1);
    let (entry, mut fields) = entries.remove(0);
    assert_eq!(done.output.unwrap(), format!("stream {}, entry {entry}", inbox.stream));
    assert_eq!(fields.remove("body").unwrap(), body);
    let message_id = format!("{}-{}", work.delivery.id, work.delivery.opened_at.as_microsecond());
    for (name, value) in [
        ("content-type", "application/json; v=1"),
        ("lectern-message-id", &message_id),
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
        let field = fields.remove(name).map(|field| String::from_utf8(field).unwrap());
        assert_eq!(field.as_deref(), Some(value), "{name}");
    }
    assert!(fields.is_empty(), "and nothing else: {fields:?}");
}

#[tokio::test]
async fn a_further_attempt_is_told_by_its_message_id() {
    let inbox = Inbox::new();
    let handler = inbox.handler();
    let mut work = work("{}");
    handler.handle(&work).await.unwrap();
    work.delivery.attempts += 1;
    handler.handle(&work).await.unwrap();
    work.delivery.opened_at = "2026-01-02T03:05:00Z".parse().unwrap();
    handler.handle(&work).await.unwrap();

    let ids: Vec<_> =
        inbox.entries().await.into_iter().map(|(_, fields)| fields["lectern-message-id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2], "a replay is meant to arrive again");
}

#[tokio::test]
async fn a_template_makes_the_body_and_its_content_type() {
    let inbox = Inbox::new();
    let settings =
        json!({ "url": inbox.url, "stream": inbox.stream, "template": TEMPLATE, "content_type": TEXT });

    handler("redis", settings).handle(&work(HELLO)).await.unwrap();

    let (_, fields) = inbox.entries().await.remove(0);
    assert_eq!(fields["body"], MADE.as_bytes());
    assert_eq!(fields["content-type"], TEXT.as_bytes());
}

#[tokio::test]
async fn what_a_template_cannot_make_is_given_up_and_nothing_is_added() {
    let inbox = Inbox::new();
    let settings = json!({ "url": inbox.url, "stream": inbox.stream, "template": "{{ data.body }}" });

    let failure = handler("redis", settings).handle(&work(HELLO)).await.unwrap_err();

    assert!(failure.permanent, "{failure:?}");
    assert!(failure.reason.starts_with("the template can't be filled in"), "{failure:?}");
    assert!(inbox.entries().await.is_empty());
}

#[tokio::test]
async fn a_type_can_have_a_stream_of_its_own() {
    let inbox = Inbox::new();
    let stream = format!("{}:{{event_type}}", inbox.stream);

    handler("redis", json!({ "url": inbox.url, "stream": stream })).handle(&work("{}")).await.unwrap();

    let length: u64 = inbox.ask(&["XLEN", &format!("{}:message.received", inbox.stream)]).await;
    assert_eq!(length, 1);
}

#[tokio::test]
async fn a_stream_with_a_length_drops_its_oldest_entries() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url);
    inbox.ask::<String>(&["CONFIG", "SET", "stream-node-max-entries", "10"]).await;
    let handler = handler("redis", json!({ "url": inbox.url, "stream": inbox.stream, "maxlen": 20 }));
    for _ in 0..100 {
        handler.handle(&work("{}")).await.unwrap();
    }
    let length: u64 = inbox.ask(&["XLEN", &inbox.stream]).await;
    assert!((20..=30).contains(&length), "{length}");
}

#[tokio::test]
async fn calls_side_by_side_share_one_connection() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let before = connections(&inbox).await;
    let handler = inbox.handler();
    let works: Vec<_> = (0..50).map(|_| work("{}")).collect();

    for outcome in join_all(works.iter().map(|work| handler.handle(work))).await {
        outcome.unwrap();
    }

    let entries = inbox.entries().await;
    assert_eq!(entries.len(), 50);
    // The handler's, that of `entries`, and that of this question.
    assert_eq!(connections(&inbox).await - before, 3);
}

/// How many connections the server has made, this question's included.
async fn connections(inbox: &Inbox) -> u64 {
    let info: String = inbox.ask(&["INFO", "stats"]).await;
    let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:")).unwrap();
    line.parse().unwrap()
}

#[tokio::test]
async fn a_password_can_come_from_a_file() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port);
    let settings = json!({ "url": url, "stream": inbox.stream, "password_file": file.path() });

    handler("redis", settings).handle(&work("{}")).await.unwrap();

    assert_eq!(inbox.entries().await.len(), 1);
}
