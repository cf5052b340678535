//! What is not answered as it was asked, and why.

use axum::http::{Method, Uri};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::api::{Api, message};

#[tokio::test]
async fn what_is_not_there_is_404() {
    let api = Api::new().await;
    let unknown = message(1).record.id;
    for id in [unknown.to_string().as_str(), "1", "not-a-uuid", "%ff", "%00", "..", &"9".repeat(10_000)] {
        for path in [
            "events/{}",
            "events/{}/body",
            "events/{}/deliveries",
            "deliveries/{}",
            "replays/{}",
            "handlers/{}",
            "quarantine/{}",
            "quarantine/{}/body",
        ] {
            api.get(&format!("/api/v1/{}", path.replace("{}", id)))
                .await
                .is_problem(404, "resource_not_found");
        }
        let replay = api.ask(Method::POST, &format!("/api/v1/deliveries/{id}/replay")).await;
        replay.is_problem(404, "resource_not_found");
        for path in ["replays/{}/cancel", "handlers/{}/pause", "handlers/{}/resume"] {
            let path = format!("/api/v1/{}", path.replace("{}", id));
            api.ask(Method::POST, &path).await.is_problem(404, "resource_not_found");
        }
        let resolve = api.post(&format!("/api/v1/deliveries/{id}/resolve"), r#"{"note": "a"}"#).await;
        resolve.is_problem(404, "resource_not_found");
        let delete = api.ask(Method::DELETE, &format!("/api/v1/quarantine/{id}")).await;
        delete.is_problem(404, "resource_not_found");
    }
    for path in
        ["/", "/%ff", "/api", "/api/v1", "/api/v1/", "/api/v1/events/", "/api/v1/event", "/api/v1/events/1/2"]
    {
        api.get(path).await.is_problem(404, "route_not_found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_405_and_names_those_that_it_has() {
    let api = Api::new().await;
    for (method, path, allowed) in [
        (Method::POST, "/api/v1/events", "GET,HEAD"),
        (Method::DELETE, "/api/v1/events/1", "GET,HEAD"),
        (Method::PUT, "/api/v1/deliveries", "GET,HEAD"),
        (Method::GET, "/api/v1/deliveries/1/replay", "POST"),
        (Method::GET, "/api/v1/quarantine/release", "POST"),
        (Method::POST, "/api/v1/quarantine", "GET,HEAD,DELETE"),
        (Method::PUT, "/api/v1/quarantine/1", "GET,HEAD,DELETE"),
    ] {
        let answer = api.ask(method, path).await;
        answer.is_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test]
async fn a_value_that_is_not_allowed_is_named_with_what_is() {
    let api = Api::new().await;
    let moment = "is not a moment in ISO 8601 with its offset from UTC, such as 2026-11-22T09:30:00Z (a plus is written %2B)";
    let text = "is not a text of 1 to 255 characters without control characters";
    for (query, message) in [
        ("events?limit=0", r#"limit: "0" is not a whole number from 1 to 100"#.to_owned()),
        ("events?limit=101", r#"limit: "101" is not a whole number from 1 to 100"#.into()),
        ("events?limit=", r#"limit: "" is not a whole number from 1 to 100"#.into()),
        ("events?limit=1&limit=1", "limit is given more than once".into()),
        ("events?cursor=a&cursor=b", "cursor is given more than once".into()),
        ("events?include=headers", r#"include: "headers" is not payload"#.into()),
        ("events?type=", r#"type: "" is not an event type or a pattern such as message.*"#.into()),
        ("events?source=", format!(r#"source: "" {text}"#)),
        ("events?locationUid=a%00", format!(r#"locationUid: "a\0" {text}"#)),
        ("events?receivedAfter=yesterday", format!(r#"receivedAfter: "yesterday" {moment}"#)),
        ("events?receivedAfter=2026-11-22", format!(r#"receivedAfter: "2026-11-22" {moment}"#)),
        (
            "events?receivedBefore=2026-11-22T09:00:00+01:00",
            format!(r#"receivedBefore: "2026-11-22T09:00:00 01:00" {moment}"#),
        ),
        ("deliveries?state=open", r#"state: "open" is not pending, done or dead"#.into()),
        ("deliveries?eventId=1", r#"eventId: "1" is not a UUID"#.into()),
        ("events?locationuid=a", r#"unknown parameter "locationuid": did you mean locationUid?"#.into()),
        ("events?location_uid=a", r#"unknown parameter "location_uid": did you mean locationUid?"#.into()),
        ("events?page=2", r#"unknown parameter "page""#.into()),
        ("deliveries?status=done", r#"unknown parameter "status": did you mean state?"#.into()),
        (
            "events?order=up&limit=x&lim=1",
            r#"limit: "x" is not a whole number from 1 to 100; unknown parameter "lim"; unknown parameter "order""#.into(),
        ),
    ] {
        let answer = api.get(&format!("/api/v1/{query}")).await;
        assert_eq!(answer.is_problem(400, "invalid_request_values"), message, "{query}");
    }
}

#[tokio::test]
async fn an_operation_without_parameters_takes_none() {
    let api = Api::new().await;
    let event = message(1);
    api.accept(std::slice::from_ref(&event)).await;
    for path in ["", "/body", "/deliveries"] {
        let answer = api.get(&format!("/api/v1/events/{}{path}?include=payload", event.record.id)).await;
        assert_eq!(answer.is_problem(400, "invalid_request_values"), r#"unknown parameter "include""#);
    }
}

#[tokio::test]
async fn thousands_of_mistakes_get_a_short_answer() {
    let api = Api::new().await;
    let query: String = (0..10_000).map(|number| format!("&a{number}")).collect();
    for query in [query, "a".repeat(60_000), format!("limit={}", "9".repeat(60_000))] {
        let answer = api.get(&format!("/api/v1/events?{query}")).await;
        answer.is_problem(400, "invalid_request_values");
        assert!(answer.body.len() < 1000, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_503() {
    let api = Api::new().await;
    let id = message(1).record.id;
    api.store.close().await;
    for (method, path) in [
        (Method::GET, "/api/v1/events".to_owned()),
        (Method::GET, format!("/api/v1/events/{id}")),
        (Method::GET, format!("/api/v1/events/{id}/body")),
        (Method::GET, format!("/api/v1/events/{id}/deliveries")),
        (Method::GET, "/api/v1/deliveries".to_owned()),
        (Method::GET, format!("/api/v1/deliveries/{id}")),
        (Method::POST, format!("/api/v1/deliveries/{id}/replay")),
        (Method::GET, "/api/v1/handlers".to_owned()),
        (Method::GET, "/api/v1/handlers/crm".to_owned()),
        (Method::POST, "/api/v1/handlers/crm/pause".to_owned()),
        (Method::POST, "/api/v1/handlers/crm/resume".to_owned()),
        (Method::GET, "/api/v1/replays".to_owned()),
        (Method::POST, "/api/v1/replays?handler=crm".to_owned()),
        (Method::GET, format!("/api/v1/replays/{id}")),
        (Method::POST, format!("/api/v1/replays/{id}/cancel")),
        (Method::POST, format!("/api/v1/deliveries/{id}/resolve?note=a")),
        (Method::GET, "/api/v1/quarantine".to_owned()),
        (Method::GET, format!("/api/v1/quarantine/{id}")),
        (Method::GET, format!("/api/v1/quarantine/{id}/body")),
        (Method::DELETE, "/api/v1/quarantine".to_owned()),
        (Method::DELETE, format!("/api/v1/quarantine/{id}")),
    ] {
        let answer = api.ask(method, &path).await;
        answer.is_problem(503, "store_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[test]
fn any_path_and_query_gets_an_answer_of_the_api() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let api = runtime.block_on(Api::new());
    let parts = ("[ -~]{0,40}", "[ -~]{0,60}", any::<Vec<u8>>());
    let outcome = TestRunner::default().run(&parts, |(path, query, bytes)| {
        let raw: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
        for path in [
            format!("/{path}?{query}"),
            format!("/api/v1/{path}?{query}"),
            format!("/api/v1/events?{query}"),
            format!("/api/v1/events?source={raw}&{raw}"),
            format!("/api/v1/events?cursor={raw}"),
            format!("/api/v1/deliveries/{raw}"),
        ] {
            // What is no URI is refused before there is a request.
            if path.parse::<Uri>().is_ok() {
                let answer = runtime.block_on(api.get(&path));
                prop_assert!(matches!(answer.status.as_u16(), 200 | 400 | 404), "{path}: {}", answer.text());
                prop_assert!(answer.json().is_object());
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
