//! What becomes of the answer.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimePrinter;
use lectern::handlers::{Failure, Success, Work};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use crate::support::{handler, work};

async fn answered(answer: ResponseTemplate) -> Result<Success, Failure> {
    answered_to(&work("{}"), answer).await
}

async fn answered_to(work: &Work, answer: ResponseTemplate) -> Result<Success, Failure> {
    answered_with(json!({}), work, answer).await
}

/// The same, by a handler with further settings.
async fn answered_with(
    mut settings: Value,
    work: &Work,
    answer: ResponseTemplate,
) -> Result<Success, Failure> {
    let server = MockServer::start().await;
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    settings["url"] = server.uri().into();
    let outcome = handler("http", settings).handle(work).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "one attempt is one request");
    outcome
}

#[tokio::test]
async fn every_status_of_success_is_done() {
    for status in [200, 201, 202, 204, 299] {
        let done = answered(ResponseTemplate::new(status)).await.unwrap();
        assert_eq!(done.status, Some(i32::from(status)));
    }
}

#[tokio::test]
async fn other_statuses_are_a_failure_that_is_tried_again() {
    for (status, reason) in [
        (401, "the answer was 401 Unauthorized"),
        (429, "the answer was 429 Too Many Requests"),
        (500, "the answer was 500 Internal Server Error"),
    ] {
        let failure = answered(ResponseTemplate::new(status).set_body_string("why")).await.unwrap_err();
        assert_eq!(failure.reason, reason);
        assert_eq!(failure.status, Some(i32::from(status)));
        assert_eq!(failure.output.as_deref(), Some("why"));
        assert!(!failure.permanent);
        assert_eq!(failure.retry_after, None);
    }
}

#[tokio::test]
async fn a_status_that_no_further_try_would_change_is_a_failure_for_good() {
    for status in [400, 404, 410, 422] {
        let answer = ResponseTemplate::new(status).set_body_string("why");
        let failure = answered(answer).await.unwrap_err();
        assert!(failure.permanent, "{status}");
        assert_eq!((failure.status, failure.output.as_deref()), (Some(i32::from(status)), Some("why")));
    }
}

#[tokio::test]
async fn which_statuses_are_for_good_can_be_configured() {
    for (statuses, status, permanent) in [
        (json!([]), 400, false),
        (json!([403, 409]), 400, false),
        (json!([403, 409]), 409, true),
        (json!([500, 500]), 500, true),
        (json!([302]), 302, true),
    ] {
        let settings = json!({ "permanent_statuses": statuses });
        let failure = answered_with(settings, &work("{}"), ResponseTemplate::new(status)).await.unwrap_err();
        assert_eq!(failure.permanent, permanent, "{status} with {statuses}");
    }
}

#[tokio::test]
async fn an_answer_that_repeats_the_address_does_not_tell_what_is_secret_in_it() {
    let server = MockServer::start().await;
    let echo = "no POST /hooks/T0ken-of-the-crm?key=an%20other%20one&v=2; no route T0ken-of-the-crm for an other one; \
                no hooks";
    let answer = ResponseTemplate::new(404).set_body_string(echo);
    Mock::given(matchers::any()).respond_with(answer).mount(&server).await;
    let url = format!("{}/hooks/T0ken-of-the-crm?key=an%20other%20one&v=2", server.uri());
    let failure = handler("http", json!({ "url": url })).handle(&work("{}")).await.unwrap_err();
    let kept = "no POST [hidden]; no route [hidden] for [hidden]; no hooks";
    assert_eq!(failure.output.as_deref(), Some(kept));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_shows_only_the_host() {
    let target = MockServer::start().await;
    let location = format!("http://user:hunter2@{}/hidden?token=abc", target.address());
    let answer = ResponseTemplate::new(307).insert_header("location", location);

    let failure = answered(answer).await.unwrap_err();

    assert_eq!(
        failure.reason,
        "the answer was 307 Temporary Redirect, a redirect to 127.0.0.1; redirects are not followed"
    );
    assert_eq!(failure.status, Some(307));
    assert!(target.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_failure_too() {
    for answer in
        [ResponseTemplate::new(302), ResponseTemplate::new(302).insert_header("location", "http://[")]
    {
        let failure = answered(answer).await.unwrap_err();
        assert_eq!(failure.reason, "the answer was 302 Found, a redirect; redirects are not followed");
    }
}

#[tokio::test]
async fn the_wait_that_the_receiver_asks_for_is_passed_on() {
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "17");
    assert_eq!(answered(answer).await.unwrap_err().retry_after, Some(Duration::from_secs(17)));

    let mut work = work("{}");
    work.started_at = "2026-01-02T03:04:05Z".parse().unwrap();
    let until = "2026-01-02T03:09:05Z".parse().unwrap();
    let until = DateTimePrinter::new().timestamp_to_rfc9110_string(&until).unwrap();
    let answer = ResponseTemplate::new(503).insert_header("retry-after", until.as_str());
    let failure = answered_to(&work, answer).await.unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(300)));
}

#[tokio::test]
async fn the_start_of_the_answer_is_kept() {
    let answer = format!("thanks {}", "ü".repeat(10_000));
    let done = answered(ResponseTemplate::new(200).set_body_string(&answer)).await.unwrap();
    let kept = done.output.unwrap();
    assert!(answer.starts_with(&kept));
    assert_eq!(kept.len(), 2047, "2 KiB, less the half of a character");
}

#[tokio::test]
async fn an_answer_of_any_bytes_is_kept_as_text() {
    let answer = ResponseTemplate::new(200).set_body_bytes(b"a\0b\xff");
    assert_eq!(answered(answer).await.unwrap().output.as_deref(), Some("a\0b\u{fffd}"));
}
