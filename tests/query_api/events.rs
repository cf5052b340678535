//! What an event looks like, and what narrows the list.

use serde_json::Value;

use crate::api::{Api, message, with_body};

#[tokio::test]
async fn an_event_is_listed_with_what_the_ledger_knows() {
    let api = Api::new().await;
    api.accept(&[message(1)]).await;
    insta::assert_json_snapshot!(api.read("/api/v1/events").await);
}

#[tokio::test]
async fn an_event_alone_shows_its_payload_and_headers_too() {
    let api = Api::new().await;
    let event = message(1);
    api.accept(std::slice::from_ref(&event)).await;
    insta::assert_json_snapshot!(api.read(&format!("/api/v1/events/{}", event.record.id)).await);
}

#[tokio::test]
async fn each_filter_narrows_the_list() {
    let api = Api::new().await;
    let mut other = message(2);
    other.record.event_type = "review.created".into();
    other.record.source = "second shop".into();
    other.record.location_uid = Some("elsewhere".into());
    other.record.conversation_uid = None;
    api.accept(&[message(1), other.clone()]).await;
    let (first, second) = (message(1).record.id.to_string(), other.record.id.to_string());

    for (query, found) in [
        ("", vec![&second, &first]),
        ("type=message.received", vec![&first]),
        ("type=message.*", vec![&first]),
        ("type=*.created", vec![&second]),
        ("type=message", vec![]),
        ("type=message_received", vec![]),
        ("source=default", vec![&first]),
        ("source=second+shop", vec![&second]),
        ("source=second%20shop", vec![&second]),
        ("locationUid=elsewhere", vec![&second]),
        ("conversationUid=conversation", vec![&first]),
        ("receivedAfter=2026-11-22T09:00:02Z", vec![&second]),
        ("receivedAfter=2026-11-22T10:00:02%2B01:00", vec![&second]),
        ("receivedAfter=2026-11-22T09:00:01.000000001Z", vec![&second]),
        ("receivedAfter=-009000-01-01T00:00:00Z", vec![&second, &first]),
        ("receivedBefore=2026-11-22T09:00:02Z", vec![&first]),
        ("receivedBefore=2026-11-22T09:00:02.000000001Z", vec![&second, &first]),
        ("receivedBefore=9999-12-30T00:00:00Z", vec![&second, &first]),
        ("receivedBefore=0001-01-01T00:00:00Z", vec![]),
        ("receivedAfter=2026-11-22T09:00:01Z&receivedBefore=2026-11-22T09:00:02Z", vec![&first]),
        ("type=*.created&source=default", vec![]),
        ("source=%F0%9F%92%A9%27%22%25", vec![]),
    ] {
        let ids = api.ids(&format!("/api/v1/events?{query}")).await;
        assert_eq!(ids.iter().collect::<Vec<_>>(), found, "{query}");
    }
}

#[tokio::test]
async fn a_payload_is_what_podium_sent_to_the_letter() {
    let api = Api::new().await;
    let data = r#"{ "amount":1.0, "big":123456789012345678901234567890, "tiny":1e-400,  "text":"\u00e9\ud800", "amount":2 }"#;
    let event = with_body(message(1), format!(r#"{{"data":{data},"metadata":{{}}}}"#));
    api.accept(std::slice::from_ref(&event)).await;

    for path in [format!("/api/v1/events/{}", event.record.id), "/api/v1/events?include=payload".into()] {
        let answer = api.get(&path).await;
        assert!(answer.text().contains(&format!(r#""payload":{data}"#)), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_payload_may_be_nested_ten_thousand_deep() {
    let api = Api::new().await;
    let data = format!("{}1{}", r#"{"a":["#.repeat(10_000), "]}".repeat(10_000));
    let event = with_body(message(1), format!(r#"{{"data":{data}}}"#));
    api.accept(std::slice::from_ref(&event)).await;

    for path in [format!("/api/v1/events/{}", event.record.id), "/api/v1/events?include=payload".into()] {
        assert!(api.get(&path).await.text().contains(&data));
    }
}

#[tokio::test]
async fn a_body_that_podium_does_not_write_has_no_payload() {
    let api = Api::new().await;
    let bodies: [&[u8]; 7] =
        [b"", b"not json", b"\xff\xfe", b"[1]", b"{}", br#"{"data":{}"#, br#"{"data":null,"metadata":{}}"#];
    for (seconds, body) in (0..).zip(bodies) {
        let mut event = with_body(message(seconds), body);
        event.record.decode_error = Some("the body is not what it should be".into());
        api.accept(std::slice::from_ref(&event)).await;
        let shown = api.read(&format!("/api/v1/events/{}", event.record.id)).await;
        assert_eq!(shown["data"].get("payload"), Some(&Value::Null), "{body:?}");
        assert_eq!(shown["data"]["decodeError"], "the body is not what it should be");
    }
    for item in api.read("/api/v1/events?include=payload").await["data"].as_array().unwrap() {
        assert_eq!(item.get("payload"), Some(&Value::Null));
    }
}
