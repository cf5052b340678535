//! The quarantine: what a request in it looks like, what narrows the list, and how it is emptied.

use axum::http::{Method, StatusCode};
use lectern::model::{
    Content, Header, QuarantineBounds, QuarantineFilter, QuarantineId, Quarantined, QuarantinedRequest,
};
use serde_json::json;

use crate::api::{Api, ids, moment};

/// A request that was rejected so many seconds after the first moment.
pub(crate) fn rejected(seconds: i64) -> QuarantinedRequest {
    let body = r#"{"data":{},"metadata":{}}"#;
    QuarantinedRequest {
        request: Quarantined {
            id: QuarantineId::floor(moment(seconds)),
            source: "default".into(),
            received_at: moment(seconds),
            reason: "signature_mismatch".into(),
            held: false,
            size: body.len() as u64,
        },
        content: Content {
            headers: vec![
                Header { name: "content-type".into(), value: "application/json".into() },
                Header { name: "podium-signature".into(), value: "0123".into() },
            ],
            body: body.into(),
        },
    }
}

pub(crate) async fn keep(api: &Api, requests: &[QuarantinedRequest]) {
    let bounds = QuarantineBounds::new(1000, 1 << 30);
    assert!(api.store.quarantine(requests, bounds).await.unwrap().into_iter().all(|kept| kept));
}

#[tokio::test]
async fn a_request_is_listed_with_why_it_is_there() {
    let api = Api::new().await;
    let mut held = rejected(2);
    held.request.held = true;
    keep(&api, &[rejected(1), held]).await;
    insta::assert_json_snapshot!(api.read("/api/v1/quarantine").await);
}

#[tokio::test]
async fn a_request_alone_shows_its_headers_and_body_too() {
    let api = Api::new().await;
    keep(&api, &[rejected(1)]).await;
    insta::assert_json_snapshot!(api.read(&format!("/api/v1/quarantine/{}", rejected(1).request.id)).await);
}

#[tokio::test]
async fn a_body_that_is_no_text_is_shown_in_base64_and_as_it_is() {
    let api = Api::new().await;
    let mut binary = rejected(1);
    binary.content.body = (0..=255).collect::<Vec<u8>>().into();
    keep(&api, std::slice::from_ref(&binary)).await;
    let path = format!("/api/v1/quarantine/{}", binary.request.id);
    let shown = api.read(&path).await["data"].take();
    assert_eq!(shown["body"], json!(null));
    assert!(shown["bodyBase64"].as_str().unwrap().starts_with("AAECAwQF"));
    assert_eq!(shown["size"], 256);

    let bytes = api.get(&format!("{path}/body")).await;
    assert!(bytes.body == binary.content.body);
    assert_eq!(bytes.header("content-type"), Some("application/json"));
    assert_eq!(bytes.header("content-disposition"), Some("attachment; filename=\"body\""));
    assert_eq!(bytes.header("content-security-policy"), Some("default-src 'none'; sandbox"));
}

#[tokio::test]
async fn each_filter_narrows_the_list_and_pages_walk_over_it() {
    let api = Api::new().await;
    let mut other = rejected(2);
    other.request.source = "north".into();
    other.request.reason = "timestamp_too_old".into();
    keep(&api, &[rejected(1), other.clone(), rejected(3)]).await;
    let [first, second, third] = [rejected(1), other, rejected(3)].map(|kept| kept.request.id.to_string());
    for (query, found) in [
        ("", vec![&third, &second, &first]),
        ("source=north", vec![&second]),
        ("reason=signature_mismatch", vec![&third, &first]),
        ("reason=signature", vec![]),
        ("receivedAfter=2026-11-22T09:00:02Z", vec![&third, &second]),
        ("receivedBefore=2026-11-22T09:00:02Z", vec![&first]),
        ("receivedAfter=2026-11-22T09:00:02Z&receivedBefore=2026-11-22T09:00:03Z", vec![&second]),
        ("source=north&reason=signature_mismatch", vec![]),
    ] {
        let ids = api.ids(&format!("/api/v1/quarantine?{query}")).await;
        assert_eq!(ids.iter().collect::<Vec<_>>(), found, "{query}");
    }
    let page = api.read("/api/v1/quarantine?source=default&limit=1").await;
    assert_eq!(ids(&page), [third]);
    let cursor = page["metadata"]["nextCursor"].as_str().unwrap();
    assert_eq!(api.ids(&format!("/api/v1/quarantine?cursor={cursor}")).await, [first]);
}

#[tokio::test]
async fn one_request_is_deleted_by_its_id() {
    let api = Api::new().await;
    keep(&api, &[rejected(1), rejected(2)]).await;
    let path = format!("/api/v1/quarantine/{}", rejected(1).request.id);
    let deleted = api.ask(Method::DELETE, &path).await;
    assert_eq!((deleted.status, &deleted.json()["data"]), (StatusCode::OK, &json!({ "deleted": 1 })));
    api.ask(Method::DELETE, &path).await.is_problem(404, "resource_not_found");
    assert_eq!(api.ids("/api/v1/quarantine").await, [rejected(2).request.id.to_string()]);
}

#[tokio::test]
async fn all_that_a_filter_fits_is_deleted_and_counted_however_many() {
    let api = Api::new().await;
    let mut requests: Vec<_> = (0..230).map(rejected).collect();
    requests[7].request.source = "north".into();
    // What came after the question was asked is not meant.
    requests.push(rejected(1001));
    keep(&api, &requests).await;
    let deleted = api.ask(Method::DELETE, "/api/v1/quarantine?source=default").await;
    assert_eq!(deleted.json()["data"], json!({ "deleted": 229 }));
    let left = [rejected(1001), rejected(7)].map(|kept| kept.request.id.to_string());
    assert_eq!(api.ids("/api/v1/quarantine").await, left);
    assert_eq!(api.ask(Method::DELETE, "/api/v1/quarantine").await.json()["data"], json!({ "deleted": 1 }));
}

#[tokio::test]
async fn a_misspelt_filter_deletes_and_releases_nothing() {
    let api = Api::new().await;
    keep(&api, &[rejected(1)]).await;
    for (method, path) in [(Method::DELETE, "quarantine"), (Method::POST, "quarantine/release")] {
        for query in ["sourec=north", "limit=1", "cursor=a", "receivedBefore=today", "source=a&source=b"] {
            let answer = api.ask(method.clone(), &format!("/api/v1/{path}?{query}")).await;
            answer.is_problem(400, "invalid_request_values");
        }
    }
    assert_eq!(api.ids("/api/v1/quarantine").await.len(), 1);
    assert!(api.releases().is_empty());
}

#[tokio::test]
async fn a_release_is_asked_for_by_the_filters_of_the_list_and_says_what_became_of_each() {
    let api = Api::new().await;
    let path = "/api/v1/quarantine/release?source=north&reason=signature_mismatch\
                &receivedAfter=2026-11-22T09:00:01Z&receivedBefore=2026-11-22T09:00:02Z";
    let answer = api.ask(Method::POST, path).await;
    assert_eq!(answer.status, StatusCode::OK);
    insta::assert_json_snapshot!(answer.json());
    api.ask(Method::POST, "/api/v1/quarantine/release").await;
    let filter = QuarantineFilter {
        source: Some("north".into()),
        reason: Some("signature_mismatch".into()),
        received_after: Some(moment(1)),
        received_before: Some(moment(2)),
    };
    assert_eq!(api.releases(), [filter, QuarantineFilter::default()]);
}
