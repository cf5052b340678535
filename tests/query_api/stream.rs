//! The stream of events.

use serde_json::{Value, json};

use crate::api::{Api, Listening, SECOND, of_body};

fn event(event_type: &str, number: u32) -> Value {
    json!({
        "data": {"uid": format!("s{number}"), "conversationUid": "c"},
        "metadata": {"eventType": event_type, "eventUid": format!("e{number}")},
    })
}

/// The events that are streamed, as (id, type, event's uid), until there are so many.
async fn heard(
    api: &Api,
    path: &str,
    headers: &[(&str, &str)],
    number: usize,
) -> Vec<(String, String, String)> {
    listen(&mut api.stream(path, headers).await, number).await
}

async fn listen(stream: &mut Listening, number: usize) -> Vec<(String, String, String)> {
    let mut heard = Vec::new();
    while heard.len() < number {
        let said = tokio::time::timeout(20 * SECOND, stream.next()).await.expect("it is said in time");
        let said = said.expect("the stream goes on");
        let field = |name: &str| {
            said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
        };
        if let Some(data) = field("data") {
            let data: Value = serde_json::from_str(&data).unwrap();
            let uid = data["eventUid"].as_str().unwrap().to_owned();
            heard.push((field("id").unwrap(), field("event").unwrap(), uid));
        }
    }
    heard
}

#[tokio::test]
async fn a_listener_hears_what_fits_and_goes_on_where_it_was() {
    let api = Api::new().await;
    api.hear(&[event("call.missed", 1), event("review.created", 2), event("call.missed", 3)]).await;
    let all = heard(&api, "/api/v1/events/stream?lastEventId=0", &[], 3).await;
    assert_eq!(all.iter().map(|(_, _, uid)| uid.as_str()).collect::<Vec<_>>(), ["e1", "e2", "e3"]);
    assert_eq!(all[1].1, "review.created");
    let calls = heard(&api, "/api/v1/events/stream?lastEventId=0&type=call.*", &[], 2).await;
    assert_eq!([&calls[0], &calls[1]], [&all[0], &all[2]]);
    let rest = heard(&api, "/api/v1/events/stream", &[("last-event-id", &all[1].0)], 1).await;
    assert_eq!(rest, [all[2].clone()]);
}

#[tokio::test]
async fn a_listener_hears_what_is_accepted_after_it_came() {
    let api = Api::new().await;
    api.hear(&[event("call.missed", 1)]).await;
    let mut stream = api.stream("/api/v1/events/stream", &[]).await;
    api.accept(&[of_body(&event("call.missed", 2), 5)]).await;
    api.mirror().await;
    assert_eq!(listen(&mut stream, 1).await[0].2, "e2");
}

#[tokio::test]
async fn what_was_mirrored_again_is_not_streamed_again() {
    let api = Api::new().await;
    api.hear(&[event("call.missed", 1)]).await;
    api.post("/api/v1/mirror/rebuild", "").await;
    api.mirror().await;
    api.hear(&[event("call.missed", 2)]).await;
    let all = heard(&api, "/api/v1/events/stream?lastEventId=0", &[], 2).await;
    assert_eq!(all.iter().map(|(_, _, uid)| uid.as_str()).collect::<Vec<_>>(), ["e1", "e2"]);
}

#[tokio::test]
async fn a_stop_ends_the_streams() {
    let api = Api::new().await;
    let mut stream = api.stream("/api/v1/events/stream", &[]).await;
    assert!(stream.next().await.unwrap().contains("listening"));
    api.stop.cancel();
    while let Some(said) = tokio::time::timeout(20 * SECOND, stream.next()).await.expect("it ends in time") {
        assert!(!said.contains("data"), "{said}");
    }
}

#[tokio::test]
async fn no_more_listen_than_may() {
    let api = Api::new().await;
    let mut listening = Vec::new();
    for _ in 0..64 {
        listening.push(api.stream("/api/v1/events/stream", &[]).await);
    }
    api.get("/api/v1/events/stream").await.is_problem(429, "rate_limit");
    listening.pop();
    listening.push(api.stream("/api/v1/events/stream", &[]).await);
    assert_eq!(listening.len(), 64);
}
