//! Processes that share a PostgreSQL, each with its role.

use axum::http::StatusCode;

use crate::events::new_event;
use crate::support::lectern::Setup;
use crate::support::patience::eventually;
use crate::support::sink::Sink;

fn configured(setup: Setup, sink: &Sink, role: &str) -> Setup {
    // So rarely that whoever finds work has heard of it.
    setup.config(&format!(
        r#"
        role = "{role}"
        [dispatch]
        poll_interval = "10m"
        [[handlers]]
        name = "crm"
        kind = "http"
        url = "{}"
        "#,
        sink.url
    ))
}

#[tokio::test]
async fn what_one_process_receives_another_is_told_of_and_hands_on() {
    let sink = Sink::start().await;
    let receives = Setup::postgres().await;
    let database = receives.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    let dispatches = Setup::sqlite().env("DATABASE_URL", &database);
    let receives = configured(receives, &sink, "receive").start().await;
    let dispatches = configured(dispatches, &sink, "dispatch").start().await;

    for number in 1..=3 {
        let body = new_event("message.received", "conversation-1");
        assert_eq!(receives.post(&body).await.status, StatusCode::OK);
        eventually("it is handed on", async || (sink.calls().len() == number).then_some(())).await;
        assert_eq!(sink.calls()[number - 1].body, body);
    }
    let refused = dispatches.post(&new_event("message.received", "conversation-1")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "it takes no webhooks");
    let health = dispatches.http.get(format!("{}/readyz", dispatches.public)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_file_of_sqlite_is_for_one_process_with_every_role() {
    let sink = Sink::start().await;
    let ended = configured(Setup::sqlite(), &sink, "receive").run(&["config", "check"]).await;
    assert!(!ended.success);
    assert!(ended.stderr.contains("`role` is \"receive\""), "{}", ended.stderr);
    assert!(ended.stderr.contains("database.url"), "{}", ended.stderr);
}
