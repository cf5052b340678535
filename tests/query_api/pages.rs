//! Walking through lists.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api::{Api, ids, message, owed_by};

fn next(page: &Value) -> Option<&str> {
    page["metadata"]["nextCursor"].as_str()
}

#[tokio::test]
async fn a_page_holds_ten_items_unless_told_otherwise() {
    let api = Api::new().await;
    api.accept(&(0..101).map(message).collect::<Vec<_>>()).await;
    for (query, size) in [("", 10), ("?limit=1", 1), ("?limit=100", 100)] {
        assert_eq!(api.ids(&format!("/api/v1/events{query}")).await.len(), size);
    }
}

#[tokio::test]
async fn events_that_arrive_during_a_walk_neither_repeat_nor_hide_others() {
    let api = Api::new().await;
    api.accept(&(0..25).map(message).collect::<Vec<_>>()).await;
    let mut path = "/api/v1/events?limit=4".to_owned();
    let mut walked = vec![];
    for seconds in 100.. {
        let page = api.read(&path).await;
        walked.extend(ids(&page));
        api.accept(&[message(seconds)]).await;
        let Some(cursor) = next(&page) else { break };
        path = format!("/api/v1/events?cursor={cursor}");
    }
    let expected: Vec<_> = (0..25).rev().map(|seconds| message(seconds).record.id.to_string()).collect();
    assert_eq!(walked, expected);
}

#[tokio::test]
async fn the_last_page_says_so_even_when_it_is_full() {
    let api = Api::new().await;
    assert_eq!(api.read("/api/v1/events").await["metadata"].get("nextCursor"), Some(&Value::Null));
    api.accept(&(0..10).map(message).collect::<Vec<_>>()).await;
    assert_eq!(next(&api.read("/api/v1/events?limit=10").await), None);
    let first = api.read("/api/v1/events?limit=5").await;
    let second = api.read(&format!("/api/v1/events?cursor={}", next(&first).unwrap())).await;
    assert_eq!((ids(&second).len(), next(&second)), (5, None));
}

#[tokio::test]
async fn a_cursor_carries_all_that_was_asked_and_nothing_else_counts() {
    let api = Api::new().await;
    let mut other = message(5);
    other.record.source = "other".into();
    api.accept(&[message(1), message(2), message(3), message(4), other]).await;
    let first = api.read("/api/v1/events?source=default&limit=2&include=payload").await;
    let path =
        format!("/api/v1/events?cursor={}&source=other&limit=nonsense&unknown=1", next(&first).unwrap());
    let second = api.read(&path).await;
    let expected = [message(2).record.id.to_string(), message(1).record.id.to_string()];
    assert_eq!(ids(&second), expected);
    assert_eq!(second["data"][0]["payload"]["uid"], "message-2");
    assert_eq!(second["metadata"], json!({ "url": path, "version": "v1", "nextCursor": null }));
}

#[tokio::test]
async fn every_list_of_deliveries_is_paged_in_the_same_way() {
    let api = Api::new().await;
    let event = ["a", "b", "c"].into_iter().fold(message(1), owed_by);
    api.accept(&[owed_by(message(0), "a"), event.clone()]).await;
    for (list, sizes) in [
        ("/api/v1/deliveries".to_owned(), vec![3, 1]),
        (format!("/api/v1/events/{}/deliveries", event.record.id), vec![3]),
        (format!("/api/v1/deliveries?eventId={}", event.record.id), vec![3]),
    ] {
        let sign = if list.contains('?') { '&' } else { '?' };
        let whole = api.ids(&list).await;
        let first = api.read(&format!("{list}{sign}limit=3")).await;
        let mut walked = vec![ids(&first)];
        if let Some(cursor) = next(&first) {
            let list = list.split('?').next().unwrap();
            walked.push(api.ids(&format!("{list}?cursor={cursor}")).await);
        }
        assert_eq!(walked.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{list}");
        assert_eq!(walked.concat(), whole, "{list}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_of_none_is_refused() {
    let api = Api::new().await;
    let event = owed_by(owed_by(message(1), "a"), "b");
    api.accept(&[event.clone(), message(2)]).await;
    let of_events = api.read("/api/v1/events?limit=1").await;
    let of_event = api.read(&format!("/api/v1/events/{}/deliveries?limit=1", event.record.id)).await;
    let forge = |list: &str, asked: Value| {
        let json = json!({ "list": list, "below": event.record.id, "asked": asked });
        URL_SAFE_NO_PAD.encode(json.to_string())
    };
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(20_000));
    for (list, cursor) in [
        ("deliveries", next(&of_events).unwrap()),
        ("deliveries", next(&of_event).unwrap()),
        ("events", ""),
        ("events", "nonsense"),
        ("events", "%00%ff"),
        ("events", "bnVsbA"),
        ("events", &deep),
        ("events", &next(&of_events).unwrap()[1..]),
        ("events", &forge("/api/v1/events", json!([["limit", "1000000"]]))),
        ("events", &forge("/api/v1/events", json!([["source", "\0"]]))),
        ("events", &forge("/api/v1/events", json!([["source", "a"], ["source", "b"]]))),
        ("events", &forge("/api/v1/events", json!([["cursor", "a"]]))),
        ("events", &forge("/api/v1/events", json!("limit"))),
    ] {
        let answer = api.ask(Method::GET, &format!("/api/v1/{list}?cursor={cursor}")).await;
        answer.is_problem(400, "invalid_cursor");
    }
    assert_eq!(
        api.ids(&format!("/api/v1/events?cursor={}", forge("/api/v1/events", json!([])))).await.len(),
        0
    );
}
