//! Who is answered.

use axum::http::{Method, StatusCode};
use lectern::model::{NewToken, TokenDigest, TokenId};

use crate::api::{Api, TOKEN, moment};

#[tokio::test]
async fn without_a_token_that_is_known_nothing_is_answered() {
    let api = Api::new().await;
    let wrong: [&[&str]; 8] = [
        &[],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer wrong"],
        &[TOKEN],
        &["Basic Y29uZmlndXJlZC10b2tlbg=="],
        &["Bearer configured-token", "Bearer configured-token"],
    ];
    for authorization in wrong {
        for (method, path) in [
            (Method::GET, "/api/v1/events"),
            (Method::HEAD, "/api/v1/events"),
            (Method::GET, "/api/v1/events?limit=nonsense"),
            (Method::GET, "/api/v1/events/nonsense"),
            (Method::DELETE, "/api/v1/events"),
            (Method::POST, "/api/v1/deliveries/00000000-0000-0000-0000-000000000000/replay"),
            (Method::GET, "/api/v1/quarantine"),
            (Method::DELETE, "/api/v1/quarantine"),
            (Method::POST, "/api/v1/quarantine/release"),
            (Method::GET, "/api/v1/nothing"),
            (Method::GET, "/api/v1/events/1/2"),
            (Method::GET, "/api/v2/events"),
        ] {
            let answer = api.ask_with(method.clone(), path, authorization).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {authorization:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            if method != Method::HEAD {
                answer.is_problem(401, "unauthenticated");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_the_store_keeps_opens_the_api_too() {
    let api = Api::new().await;
    let authorization = ["bearer kept"];
    let before = api.ask_with(Method::GET, "/api/v1/events", &authorization).await;
    before.is_problem(401, "unauthenticated");
    let token = NewToken {
        id: TokenId::at(moment(0)),
        name: "dashboard".into(),
        digest: TokenDigest::of("kept"),
        created_at: moment(0),
    };
    api.store.add_token(&token).await.unwrap();
    let after = api.ask_with(Method::GET, "/api/v1/events", &authorization).await;
    assert_eq!(after.status, StatusCode::OK);
}

#[tokio::test]
async fn while_the_store_is_away_no_token_is_called_wrong() {
    let api = Api::new().await;
    api.store.close().await;
    let answer = api.ask_with(Method::GET, "/api/v1/events", &["Bearer perhaps"]).await;
    answer.is_problem(503, "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn metrics_are_for_whoever_has_a_token() {
    let api = Api::new().await;
    let none = api.ask_with(Method::GET, "/metrics", &[]).await;
    none.is_problem(401, "unauthenticated");
    let answer = api.ask_with(Method::GET, "/metrics", &[&format!("Bearer {TOKEN}")]).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "a_metric 1\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
}
