//! Sources, and how their secrets are used.

use std::sync::Arc;
use std::time::Duration;

use lectern::model::{Secret, SecretDigest, SecretUse, Source};
use serde_json::json;

use crate::api::{Api, moment};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn secret(name: &str, value: &str) -> Secret {
    Secret { name: name.into(), digest: SecretDigest::of("north", value), not_after: None }
}

fn source(secrets: Vec<Secret>) -> Arc<[Source]> {
    Arc::new([Source { name: "north".into(), allow_unsigned: false, secrets }])
}

fn used(name: &str, value: &str, last_used_at: i64, events: u64) -> SecretUse {
    SecretUse {
        secret: SecretDigest::of("north", value),
        source: "north".into(),
        name: name.into(),
        known_since: moment(0),
        last_used_at: Some(moment(last_used_at)),
        events,
    }
}

#[tokio::test]
async fn each_source_is_listed_with_its_secrets_and_their_use() {
    let api = Api::new().await;
    let old = Secret { not_after: Some(moment(999)), ..secret("2025", "value-c") };
    let sources = [
        Source { name: "default".into(), allow_unsigned: true, secrets: vec![] },
        source(vec![secret("current", "value-a"), secret("previous", "value-b"), old])[0].clone(),
    ];
    api.sources.send_replace(Arc::new(sources));
    api.store.note_secret_uses(&[used("current", "value-a", 5, 3)]).await.unwrap();
    let answer = api.get("/api/v1/sources").await;
    assert_eq!(
        answer.json(),
        json!({
            "data": [
                {"name": "default", "path": "/webhooks/podium", "allowUnsigned": true, "secrets": []},
                {"name": "north", "path": "/webhooks/podium/north", "allowUnsigned": false, "secrets": [
                    {"name": "current", "state": "active", "notAfter": null, "lastUsedAt": "2026-11-22T09:00:05Z", "eventCount": 3},
                    {"name": "previous", "state": "unused", "notAfter": null, "lastUsedAt": null, "eventCount": 0},
                    {"name": "2025", "state": "expired", "notAfter": "2026-11-22T09:16:39Z", "lastUsedAt": null, "eventCount": 0},
                ]},
            ],
            "metadata": {"url": "/api/v1/sources", "version": "v1", "nextCursor": null},
        })
    );
    assert!(!answer.text().contains("value"), "{}", answer.text());
}

#[tokio::test]
async fn a_secret_is_safe_to_retire_ten_days_after_another_took_over() {
    let api = Api::new().await;
    api.sources.send_replace(source(vec![secret("current", "new"), secret("previous", "old")]));
    let uses = [used("current", "new", 900, 1), used("previous", "old", 800, 1)];
    api.store.note_secret_uses(&uses).await.unwrap();
    let states = async || {
        let secrets = api.read("/api/v1/sources").await["data"][0]["secrets"].clone();
        [secrets[0]["state"].clone(), secrets[1]["state"].clone()]
    };
    assert_eq!(states().await, ["active", "active"]);
    api.clock.advance(10 * DAY);
    assert_eq!(states().await, ["active", "safe_to_retire"]);
}

#[tokio::test]
async fn what_is_listed_follows_the_sources_of_the_server() {
    let api = Api::new().await;
    assert_eq!(api.read("/api/v1/sources").await["data"], json!([]));
    api.sources.send_replace(source(vec![secret("current", "a")]));
    assert_eq!(api.read("/api/v1/sources").await["data"][0]["name"], "north");
}

#[tokio::test]
async fn the_list_takes_no_parameters_and_needs_the_store() {
    let api = Api::new().await;
    api.get("/api/v1/sources?limit=1").await.is_problem(400, "invalid_request_values");
    api.store.close().await;
    api.get("/api/v1/sources").await.is_problem(503, "store_unavailable");
}
