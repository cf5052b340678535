//! Following a request and an event: the log's lines, and traces.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;

use crate::events::new_event;
use crate::support::lectern::{Answer, SECRET, Setup, now_in_milliseconds};
use crate::support::patience::eventually;
use crate::support::sink::{Sink, plain, serve};

#[tokio::test]
async fn each_request_has_a_name_and_a_line_in_the_log() {
    let lectern = Setup::sqlite().start().await;
    let body = new_event("message.received", "a conversation");
    let named = lectern
        .signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body)
        .header("x-request-id", "from-the-proxy.1");
    let answer = Answer::of(named).await;
    assert_eq!(
        (answer.status, &answer.headers["x-request-id"]),
        (StatusCode::OK, &"from-the-proxy.1".parse().unwrap())
    );
    let bare = Answer::of(
        lectern
            .signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body)
            .header("x-request-id", "a b"),
    )
    .await;
    let made = bare.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(made.len(), 16, "{made}");
    // What anybody can send fills no log, and what people search for is in none.
    assert_eq!(
        Answer::of(
            lectern
                .signed("/nowhere", SECRET, &now_in_milliseconds(), b"")
                .header("x-request-id", "stranger")
        )
        .await
        .status,
        404
    );
    let searched =
        lectern.http.get(format!("{}/api/v1/messages?q=walnut", lectern.internal)).bearer_auth("wrong");
    assert_eq!(Answer::of(searched.header("x-request-id", "internal-1")).await.status, 401);

    eventually("the lines are there", async || lectern.log().contains("internal-1").then_some(())).await;
    let log = lectern.log();
    let lines: HashMap<String, Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| Some((line["fields"]["request_id"].as_str()?.to_owned(), line)))
        .collect();
    let fields = &lines["from-the-proxy.1"]["fields"];
    assert_eq!(
        [&fields["method"], &fields["path"], &fields["status"]],
        [&Value::from("POST"), &Value::from("/webhooks/podium"), &Value::from(200)]
    );
    assert_eq!(lines[&made]["fields"]["status"], 200);
    assert_eq!(lines["internal-1"]["fields"]["path"], "/api/v1/messages");
    assert!(!log.contains("stranger") && !log.contains("walnut"), "{log}");
}

#[tokio::test]
async fn an_event_has_one_trace_from_its_receipt_to_each_attempt_and_on_to_who_is_called() {
    let spans = Arc::<Mutex<Vec<Span>>>::default();
    let collector = serve(Router::new().fallback(collect).with_state(Arc::clone(&spans))).await;
    let sink = Sink::answering(|number, _| {
        plain(if number == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })
    })
    .await;
    let setup = Setup::sqlite()
        .config(&format!(
            "[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"\nretry.initial = \"50ms\"\n",
            sink.url
        ))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.trim_end_matches("/sink"))
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let lectern = setup.start().await;
    let proxy = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let body = new_event("message.received", "a conversation");
    let sent = Answer::of(
        lectern
            .signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body)
            .header("traceparent", proxy),
    )
    .await;
    assert_eq!(sent.status, 200);
    let event_id = sent.json()["data"]["id"].as_str().unwrap().to_owned();
    // The same once more is no step of its own.
    assert_eq!(lectern.post(&body).await.json()["data"]["status"], "duplicate");

    let told = eventually("all steps were told", async || {
        let told = spans.lock().unwrap().clone();
        (told.len() >= 3).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 3, "{told:?}");
    let receipt = told.iter().find(|span| span.name == "receive").unwrap();
    let attempts: Vec<_> = told.iter().filter(|span| span.name == "deliver").collect();
    assert_eq!(attempts.len(), 2);
    assert!(receipt.parent_span_id.is_empty());
    assert_eq!(hex::encode(&receipt.links[0].trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(attribute(receipt, "lectern.event.id"), Some(event_id.clone()));
    for (attempt, call) in attempts.iter().zip(sink.calls()) {
        assert_eq!((&attempt.trace_id, &attempt.parent_span_id), (&receipt.trace_id, &receipt.span_id));
        assert_eq!(attribute(attempt, "lectern.event.id"), Some(event_id.clone()));
        let expected = format!("00-{}-{}-01", hex::encode(&attempt.trace_id), hex::encode(&attempt.span_id));
        assert_eq!(call.headers["traceparent"], expected.as_str());
        assert!(attempt.start_time_unix_nano >= receipt.start_time_unix_nano);
    }
    let outcomes: Vec<_> = attempts.iter().filter_map(|span| attribute(span, "lectern.outcome")).collect();
    assert_eq!(outcomes, ["failed", "done"]);
}

#[tokio::test]
async fn without_a_place_for_traces_nobody_is_told_of_one() {
    let sink = Sink::start().await;
    let setup = Setup::sqlite()
        .config(&format!("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"\n", sink.url));
    let lectern = setup.start().await;
    assert_eq!(lectern.post(&new_event("message.received", "a conversation")).await.status, 200);
    let calls = eventually("it is delivered", async || {
        let calls = sink.calls();
        (!calls.is_empty()).then_some(calls)
    })
    .await;
    assert!(!calls[0].headers.contains_key("traceparent"));
}

async fn collect(State(spans): State<Arc<Mutex<Vec<Span>>>>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let of_resources = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    spans.lock().unwrap().extend(of_resources.flat_map(|scope| scope.spans));
    StatusCode::OK
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
    let value = span.attributes.iter().find(|attribute| attribute.key == name)?.value.clone()?.value?;
    if let StringValue(text) = value { Some(text) } else { None }
}
