//! What is sent.

use bytes::Bytes;
use lectern::handlers::Success;
use lectern::podium::{EventType, samples};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

use crate::support::{HELLO, MADE, TEMPLATE, TEXT, handler, work};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A receiver that says yes to everything.
async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(matchers::method("POST")).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    server
}

async fn the_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn the_body_goes_out_exactly_as_it_came_in() {
    let server = receiver().await;
    let mut body: Vec<u8> = (0..=255).collect();
    body.extend_from_slice(b"{ \"data\" : 1 }\r\n");

    let done = handler("http", json!({ "url": server.uri() })).handle(&work(body.clone())).await;

    assert_eq!(done, Ok(Success { status: Some(204), output: None }));
    assert_eq!(the_request(&server).await.body, body);
}

#[tokio::test]
async fn the_headers_name_the_event_and_the_attempt() {
    let server = receiver().await;
    let work = work("{}");

    handler("http", json!({ "url": format!("{}/in?to=1", server.uri()) })).handle(&work).await.unwrap();

    let request = the_request(&server).await;
    assert_eq!((request.url.path(), request.url.query()), ("/in", Some("to=1")));
    assert_eq!(header(&request, "content-type"), "application/json; v=1");
    assert_eq!(header(&request, "webhook-id"), work.event.id.to_string());
    assert_eq!(header(&request, "webhook-timestamp"), work.started_at.as_second().to_string());
    assert_eq!(header(&request, "lectern-event-id"), work.event.id.to_string());
    assert_eq!(header(&request, "lectern-event-type"), "message.received");
    assert_eq!(header(&request, "lectern-delivery-id"), work.delivery.id.to_string());
    assert_eq!(header(&request, "lectern-attempt"), "2");
    assert_eq!(header(&request, "user-agent"), concat!("lectern/", env!("CARGO_PKG_VERSION")));
    assert!(!request.headers.contains_key("webhook-signature"), "there is no secret to sign with");
}

#[tokio::test]
async fn the_receiver_can_verify_the_signature() {
    let server = receiver().await;
    let body = r#"{"data":{"body":"Grüße 👋"}}"#;

    handler("http", json!({ "url": server.uri(), "secret": SECRET })).handle(&work(body)).await.unwrap();

    let request = the_request(&server).await;
    let receiver = Webhook::new(SECRET).unwrap();
    receiver.verify(&request.body, &request.headers).unwrap();
    receiver.verify(b"{}", &request.headers).expect_err("another body has another signature");
}

#[tokio::test]
async fn a_secret_can_come_from_a_file() {
    let server = receiver().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{SECRET}\n")).unwrap();

    let settings = json!({ "url": server.uri(), "secret_file": file.path() });
    handler("http", settings).handle(&work("{}")).await.unwrap();

    let request = the_request(&server).await;
    Webhook::new(SECRET).unwrap().verify(&request.body, &request.headers).unwrap();
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_signed_too() {
    let server = receiver().await;
    let settings = json!({ "url": server.uri(), "secret": SECRET });
    handler("http", settings).handle(&work(Bytes::from_static(b"\xff\xfe"))).await.unwrap();

    let request = the_request(&server).await;
    assert!(header(&request, "webhook-signature").starts_with("v1,"));
    assert_eq!(request.body, b"\xff\xfe");
}

#[tokio::test]
async fn a_type_that_no_header_can_hold_does_not_stop_the_event() {
    let server = receiver().await;
    let mut work = work("{}");
    work.event.event_type = "größer.als".to_owned();
    work.content.headers.clear();

    handler("http", json!({ "url": server.uri() })).handle(&work).await.unwrap();

    let request = the_request(&server).await;
    assert_eq!(header(&request, "lectern-event-type"), "gr%C3%B6%C3%9Fer.als");
    assert_eq!(header(&request, "content-type"), "application/json");
}

#[tokio::test]
async fn configured_headers_and_credentials_in_the_address_are_sent() {
    let server = receiver().await;
    let url = server.uri().replace("http://", "http://user:hunter2@");
    let settings = json!({ "url": url, "headers": { "X-Tenant": "north" } });

    handler("http", settings).handle(&work("{}")).await.unwrap();

    let request = the_request(&server).await;
    assert_eq!(header(&request, "x-tenant"), "north");
    assert_eq!(header(&request, "authorization"), "Basic dXNlcjpodW50ZXIy");
}

#[tokio::test]
async fn a_template_makes_what_is_sent_and_signed() {
    let server = receiver().await;
    let body = r#"{"data":{"contactName":null,"body":"She said \"hi\"\n👋"}}"#;
    let template = r#"{"text": "{{ data.contactName or "Somebody" }}: {{ data.body }}", "attempt": {{ delivery.attempt }}}"#;
    let settings = json!({ "url": server.uri(), "secret": SECRET, "template": template });

    handler("http", settings).handle(&work(body)).await.unwrap();

    let request = the_request(&server).await;
    let sent: Value = request.body_json().unwrap();
    assert_eq!(sent, json!({ "text": "Somebody: She said \"hi\"\n👋", "attempt": 2 }));
    assert_eq!(header(&request, "content-type"), "application/json");
    Webhook::new(SECRET).unwrap().verify(&request.body, &request.headers).unwrap();
}

#[tokio::test]
async fn a_template_from_a_file_can_make_something_else_than_json() {
    let server = receiver().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{TEMPLATE}\n")).unwrap();
    let settings = json!({ "url": server.uri(), "template_file": file.path(), "content_type": TEXT });

    handler("http", settings).handle(&work(HELLO)).await.unwrap();

    let request = the_request(&server).await;
    assert_eq!(request.body, MADE.as_bytes());
    assert_eq!(header(&request, "content-type"), TEXT);
}

#[tokio::test]
async fn what_a_template_cannot_make_is_a_failure_for_good_and_nothing_is_sent() {
    let server = receiver().await;
    let settings = json!({ "url": server.uri(), "template": r#"{"text": {{ data.body }}}"# });

    let failure =
        handler("http", settings).handle(&work(r#"{"data":{"body":"hunter2"}}"#)).await.unwrap_err();

    assert!(failure.permanent);
    assert!(
        failure.reason.starts_with("the template can't be filled in: what it comes to is no JSON"),
        "{failure:?}"
    );
    assert!(!failure.reason.contains("hunter2"), "{failure:?}");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_chat_message_of_the_documentation_is_one() {
    let documentation = include_str!("../../../docs/handlers.md");
    let (_, template) = documentation.split_once("template = '''\n").unwrap();
    let (template, _) = template.split_once("'''").unwrap();
    for (event_type, expected) in [
        (EventType::MessageReceived, ":speech_balloon: *"),
        (
            EventType::MessageFailed,
            ":warning: not sent, Attempted to send SMS to a landline. *Marisol Okafor*: ",
        ),
    ] {
        let server = receiver().await;
        let settings = json!({ "url": server.uri(), "template": template });

        handler("http", settings).handle(&work(samples::body(&event_type).unwrap())).await.unwrap();

        let sent: Value = the_request(&server).await.body_json().unwrap();
        assert!(sent["text"].as_str().unwrap().starts_with(expected), "{sent}");
    }
}
