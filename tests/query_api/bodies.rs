//! The exact bytes of a body, and that they do no harm.

use axum::http::StatusCode;
use lectern::model::Header;

use crate::api::{Api, message, with_body};

#[tokio::test]
async fn a_body_comes_back_byte_for_byte() {
    let api = Api::new().await;
    let bodies = [vec![], b"{}\r\n".to_vec(), (0..=255).collect(), vec![b' '; 1 << 20]];
    for (seconds, body) in (0..).zip(bodies) {
        let event = with_body(message(seconds), body.clone());
        api.accept(std::slice::from_ref(&event)).await;
        let answer = api.get(&format!("/api/v1/events/{}/body", event.record.id)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, Some("application/json"))
        );
        assert!(answer.body == body);
    }
}

#[tokio::test]
async fn a_hostile_body_is_a_file_and_never_a_page() {
    let api = Api::new().await;
    let mut event = with_body(message(1), "<script>alert(1)</script>");
    event.content.headers = vec![Header { name: "content-type".into(), value: "text/html".into() }];
    api.accept(std::slice::from_ref(&event)).await;
    let answer = api.get(&format!("/api/v1/events/{}/body", event.record.id)).await;
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"body\""));
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox"));
}
