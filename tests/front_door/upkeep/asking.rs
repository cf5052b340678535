//! A Podium that answers badly: each is a clear error or a quiet retry.

use lectern::podium::EventType;
use lectern::podium::client::{Client, ClientError, FixedToken, NewWebhook};
use serde_json::json;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn podium() -> (MockServer, Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = MockServer::start().await;
    let client =
        Client::new(server.uri().parse().unwrap(), Box::new(FixedToken::new("token".into()))).unwrap();
    (server, client)
}

fn answer(status: u16, body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn problem(status: u16, code: &serde_json::Value) -> ResponseTemplate {
    answer(status, json!({ "code": code, "message": "no", "moreInfo": "x" }))
}

#[tokio::test]
async fn each_request_names_the_version_and_shows_the_token() {
    let (server, client) = podium().await;
    Mock::given(method("GET"))
        .and(path("/v4/webhooks"))
        .and(header("podium-version", "2021.04.01"))
        .and(header("authorization", "Bearer token"))
        .respond_with(answer(
            200,
            json!({ "data": [{ "uid": "w", "eventTypes": ["message.sent", "a.new_one"], "x": 1 }] }),
        ))
        .mount(&server)
        .await;
    let webhooks = client.webhooks().await.unwrap();
    assert_eq!(webhooks[0].event_types, [EventType::MessageSent, EventType::Other("a.new_one".to_owned())]);
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    type IsIt = fn(&ClientError) -> bool;
    let refusals: [(ResponseTemplate, IsIt, &str); 5] = [
        (
            problem(401, &json!("unauthenticated")),
            |error| matches!(error, ClientError::Unauthenticated),
            "auth login",
        ),
        (
            problem(403, &json!("unauthorized")),
            |error| matches!(error, ClientError::Forbidden { .. }),
            "read_users",
        ),
        (problem(404, &json!(404)), |error| matches!(error, ClientError::NotFound { .. }), "no such thing"),
        (problem(422, &json!(17)), |error| matches!(error, ClientError::Refused { .. }), "422, 17"),
        (answer(302, json!({})), |error| matches!(error, ClientError::Refused { .. }), "302"),
    ];
    for (response, is_it, said) in refusals {
        let (server, client) = podium().await;
        Mock::given(method("GET")).respond_with(response).expect(1).mount(&server).await;
        let error = client.user("u").await.unwrap_err();
        assert!(is_it(&error) && error.to_string().contains(said), "{error:?} {error}");
        assert!(!error.is_passing());
    }
}

#[tokio::test]
async fn what_passes_is_asked_again_where_that_is_harmless() {
    let passing = [
        ResponseTemplate::new(503),
        answer(500, json!({ "code": 500 })),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string(r#"{"data": [{"uid": "u""#),
        problem(429, &json!("rate_limit")).insert_header("retry-after", "0"),
    ];
    for response in passing {
        let (server, client) = podium().await;
        Mock::given(method("GET")).respond_with(response).up_to_n_times(1).mount(&server).await;
        let body = json!({ "data": { "uid": "u", "firstName": "Ann" }, "metadata": {} });
        Mock::given(method("GET")).respond_with(answer(200, body)).expect(1).mount(&server).await;
        assert_eq!(client.user("u").await.unwrap().read().unwrap().name().as_deref(), Some("Ann"));
    }
}

#[tokio::test]
async fn a_webhook_is_not_registered_twice_for_an_answer_that_is_lost() {
    let (server, client) = podium().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(503)).expect(1).mount(&server).await;
    let new = NewWebhook {
        url: "https://lectern.example/".to_owned(),
        event_types: vec![EventType::MessageSent],
        secret: "hunter2".into(),
        location_uid: Some("l".to_owned()),
        organization_uid: None,
    };
    let error = client.create_webhook(&new).await.unwrap_err();
    assert!(matches!(error, ClientError::Failing { status: 503 }), "{error}");
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[tokio::test]
async fn a_list_whose_cursor_has_expired_begins_anew() {
    let (server, client) = podium().await;
    let page = |uid: &str, next: Option<&str>| {
        answer(200, json!({ "data": [{ "uid": uid }], "metadata": { "nextCursor": next } }))
    };
    let at = |cursor: &str| Mock::given(method("GET")).and(query_param("cursor", cursor));
    at("second").respond_with(problem(400, &json!("invalid_cursor"))).up_to_n_times(1).mount(&server).await;
    at("second").respond_with(page("b", None)).mount(&server).await;
    Mock::given(method("GET")).respond_with(page("a", Some("second"))).mount(&server).await;
    let (mut pages, mut uids) = (client.users(), Vec::new());
    while let Some(page) = pages.next().await.unwrap() {
        uids.extend(page.iter().map(|user| user.read().unwrap().uid.unwrap()));
    }
    assert_eq!(uids, ["a", "a", "b"]);
}

#[tokio::test]
async fn a_list_that_goes_round_in_a_circle_has_an_end() {
    let (server, client) = podium().await;
    let body = json!({ "data": [], "metadata": { "nextCursor": "here" } });
    Mock::given(method("GET")).respond_with(answer(200, body)).mount(&server).await;
    let mut pages = client.users();
    assert!(pages.next().await.unwrap().is_some());
    assert!(matches!(pages.next().await, Err(ClientError::Unreadable(_))));
}

#[tokio::test]
async fn a_lead_id_that_podium_does_not_offer_is_none() {
    let (server, client) = podium().await;
    Mock::given(path("/v4/conversations/l/o/c"))
        .respond_with(problem(404, &json!("route_not_found")))
        .mount(&server)
        .await;
    Mock::given(path("/v4/conversations/l/o/d"))
        .respond_with(answer(200, json!({ "data": { "leadId": 7 } })))
        .mount(&server)
        .await;
    assert_eq!(client.lead_id("l", "o", "c").await.unwrap(), None);
    assert_eq!(
        client.lead_id("l", "o", "d").await.unwrap().as_deref(),
        Some(r#"{ "leadId": 7 }"#.replace(' ', "").as_str())
    );
}

#[tokio::test]
async fn who_must_wait_for_minutes_is_told_so() {
    let (server, client) = podium().await;
    let refused = problem(429, &json!("rate_limit")).insert_header("retry-after", "100000");
    Mock::given(method("GET")).respond_with(refused).expect(1).mount(&server).await;
    let error = client.user("u").await.unwrap_err();
    assert_eq!(error.to_string(), "Podium allows no more requests for 300 seconds");
    assert!(error.is_passing());
}
