//! How handlers stand, and pausing them.

use axum::http::{Method, StatusCode};
use lectern::model::{Activity, AttemptOutcome, DeliveryState};
use serde_json::{Value, json};

use crate::api::{Api, SECOND, message, moment, owed_by};
use crate::deliveries::attempt;

async fn states(api: &Api) -> Vec<(String, String)> {
    let listed = api.read("/api/v1/handlers").await["data"].take();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed
        .as_array()
        .unwrap()
        .iter()
        .map(|handler| (text(&handler["name"]), text(&handler["state"])))
        .collect()
}

#[tokio::test]
async fn each_handler_is_shown_with_what_it_has_to_do_and_how_fast_it_is() {
    let api = Api::new().await;
    let (dead, open) = (owed_by(message(1), "crm"), owed_by(message(2), "crm"));
    api.accept(std::slice::from_ref(&dead)).await;
    attempt(&api, &dead, 3, DeliveryState::Dead, AttemptOutcome::Failed).await;
    api.accept(&[open]).await;
    // At 1000 seconds, 09:16:40: from 09:15:40 on counts.
    for (slot, done) in [(930, 1000), (940, 60), (1000, 30)] {
        let did = Activity { handler: "crm".into(), done, failed: 3, failing_until: None };
        api.store.note_activity(moment(slot), &[did], moment(0)).await.unwrap();
    }
    let answer = api.read("/api/v1/handlers/crm").await;
    assert_eq!(
        answer,
        json!({
            "data": {
                "name": "crm",
                "kind": "http",
                "state": "running",
                "pausedAt": null,
                "backlog": 1,
                "parked": 0,
                "dead": 1,
                "oldestDueAt": "2026-11-22T09:00:02Z",
                "rates": {"done": 1.5, "failed": 0.1},
                "configuration": {
                    "events": ["message.*", "call.missed"],
                    "locations": [],
                    "concurrency": 8,
                    "ordering": "conversation",
                    "onDead": "park",
                },
            },
            "metadata": {"url": "/api/v1/handlers/crm", "version": "v1", "nextCursor": null},
        })
    );
}

#[tokio::test]
async fn a_handler_that_is_not_configured_and_has_work_is_listed_too() {
    let api = Api::new().await;
    api.accept(&[owed_by(message(1), "old")]).await;
    let all = [("crm", "running"), ("audit", "running"), ("old", "unconfigured")];
    assert_eq!(states(&api).await, all.map(|(name, state)| (name.to_owned(), state.to_owned())));
    let old = api.read("/api/v1/handlers/old").await["data"].take();
    assert_eq!(
        (&old["backlog"], &old["kind"], &old["configuration"]),
        (&1.into(), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_handler_that_fails_throughout_in_some_process_is_failing_for_as_long_as_it_says() {
    let api = Api::new().await;
    let failing =
        Activity { handler: "crm".into(), failing_until: Some(moment(1005)), ..Activity::default() };
    api.store.note_activity(moment(1000), &[failing], moment(0)).await.unwrap();
    assert_eq!(states(&api).await[0].1, "failing");
    api.clock.advance(5 * SECOND);
    assert_eq!(states(&api).await[0].1, "running");
}

#[tokio::test]
async fn a_pause_lasts_until_the_handler_is_resumed() {
    let api = Api::new().await;
    let ask = async |action: &str| {
        let answer = api.ask(Method::POST, &format!("/api/v1/handlers/crm/{action}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        let handler = answer.json()["data"].take();
        (handler["state"].clone(), handler["pausedAt"].clone())
    };
    let running = (json!("running"), Value::Null);
    let paused = (json!("paused"), json!(moment(1000).to_string()));
    assert_eq!(ask("resume").await, running);
    assert_eq!(ask("pause").await, paused);
    api.clock.advance(SECOND);
    assert_eq!(ask("pause").await, paused, "since it began");
    assert_eq!(states(&api).await[0].1, "paused");
    assert_eq!(api.store.paused().await.unwrap().len(), 1);
    assert_eq!(ask("resume").await, running);
    assert!(api.store.paused().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_nobody_knows_is_not_paused_and_what_is_paused_can_always_be_resumed() {
    let api = Api::new().await;
    let pause = api.ask(Method::POST, "/api/v1/handlers/crmm/pause").await;
    assert_eq!(pause.is_problem(404, "resource_not_found"), "there is no handler with this name");
    assert!(api.store.paused().await.unwrap().is_empty());

    api.store.pause("removed", moment(5)).await.unwrap();
    assert_eq!(states(&api).await[2], ("removed".to_owned(), "unconfigured".to_owned()));
    let resumed = api.ask(Method::POST, "/api/v1/handlers/removed/resume").await;
    assert_eq!(resumed.status, StatusCode::OK);
    assert_eq!(resumed.json()["data"]["name"], "removed");
    assert_eq!(states(&api).await.len(), 2);
}
