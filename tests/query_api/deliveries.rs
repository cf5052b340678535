//! What a delivery looks like, what narrows the list, and the replay.

use axum::http::{Method, StatusCode};
use lectern::model::{AttemptOutcome, DeliveryState, NewEvent};
use lectern::store::{Claim, FinishedAttempt, LeaseToken, Settlement};
use std::time::Duration;
use uuid::Uuid;

use crate::api::{Api, SECOND, message, moment, owed_by};

/// Lets the handler try its one delivery, `seconds` after the first moment.
pub(crate) async fn attempt(
    api: &Api,
    event: &NewEvent,
    seconds: i64,
    state: DeliveryState,
    outcome: AttemptOutcome,
) {
    attempt_and_park(api, event, seconds, state, outcome, false).await;
}

async fn attempt_and_park(
    api: &Api,
    event: &NewEvent,
    seconds: i64,
    state: DeliveryState,
    outcome: AttemptOutcome,
    park: bool,
) {
    let delivery = &event.deliveries[0];
    let claim = Claim {
        handler: delivery.handler.clone(),
        queues: 1,
        deliveries_each: 1,
        token: LeaseToken(Uuid::from_u128(7)),
        now: moment(seconds),
        due_from: None,
        news_only: false,
        until: moment(seconds + 60),
    };
    let lease = api.store.claim(&claim).await.unwrap().queues.remove(0).lease;
    let failed = outcome != AttemptOutcome::Done;
    let attempt = FinishedAttempt {
        delivery: delivery.id,
        state,
        started_at: moment(seconds),
        duration: Duration::from_micros(12_345),
        outcome,
        status: Some(if failed { 500 } else { 200 }),
        output: Some("what the handler said".into()),
        error: failed.then(|| "the answer was 500".into()),
    };
    let parked_by = park.then_some(delivery.id);
    let settlement = Settlement { lease, attempts: vec![attempt], due_at: moment(seconds), parked_by };
    assert_eq!(api.store.settle(&[settlement]).await.unwrap(), [true]);
}

#[tokio::test]
async fn a_delivery_shows_its_attempts_in_order() {
    let api = Api::new().await;
    let event = owed_by(message(1), "crm");
    api.accept(std::slice::from_ref(&event)).await;
    attempt(&api, &event, 2, DeliveryState::Pending, AttemptOutcome::Failed).await;
    attempt(&api, &event, 4, DeliveryState::Done, AttemptOutcome::Done).await;
    insta::assert_json_snapshot!(api.read(&format!("/api/v1/deliveries/{}", event.deliveries[0].id)).await);
    insta::assert_json_snapshot!("a_delivery_in_a_list", api.read("/api/v1/deliveries").await);
}

#[tokio::test]
async fn each_filter_narrows_the_list() {
    let api = Api::new().await;
    let (waiting, dead) = (owed_by(message(1), "crm"), owed_by(message(2), "audit"));
    api.accept(&[waiting.clone(), dead.clone()]).await;
    attempt(&api, &dead, 3, DeliveryState::Dead, AttemptOutcome::TimedOut).await;
    let (first, second) = (waiting.deliveries[0].id.to_string(), dead.deliveries[0].id.to_string());
    for (path, found) in [
        ("deliveries".to_owned(), vec![&second, &first]),
        ("deliveries?state=pending".into(), vec![&first]),
        ("deliveries?state=dead".into(), vec![&second]),
        ("deliveries?state=done".into(), vec![]),
        ("deliveries?handler=crm".into(), vec![&first]),
        ("deliveries?handler=nobody".into(), vec![]),
        (format!("deliveries?eventId={}", waiting.record.id), vec![&first]),
        (format!("deliveries?eventId={}&state=dead", waiting.record.id), vec![]),
        (format!("events/{}/deliveries", dead.record.id), vec![&second]),
        ("deliveries?eventType=message.*".into(), vec![&second, &first]),
        ("deliveries?eventType=call.*".into(), vec![]),
        (
            "deliveries?source=default&conversationUid=conversation&locationUid=location".into(),
            vec![&second, &first],
        ),
        ("deliveries?source=other".into(), vec![]),
        ("deliveries?conversationUid=other".into(), vec![]),
        ("deliveries?locationUid=other".into(), vec![]),
        ("deliveries?receivedAfter=2026-11-22T09:00:02Z".into(), vec![&second]),
        ("deliveries?receivedBefore=2026-11-22T09:00:02Z".into(), vec![&first]),
    ] {
        let ids = api.ids(&format!("/api/v1/{path}")).await;
        assert_eq!(ids.iter().collect::<Vec<_>>(), found, "{path}");
    }
}

#[tokio::test]
async fn an_event_that_nobody_wants_has_an_empty_list_of_deliveries() {
    let api = Api::new().await;
    api.accept(&[message(1)]).await;
    assert!(api.ids(&format!("/api/v1/events/{}/deliveries", message(1).record.id)).await.is_empty());
}

#[tokio::test]
async fn a_replay_opens_a_dead_delivery_again() {
    let api = Api::new().await;
    let event = owed_by(message(1), "crm");
    api.accept(std::slice::from_ref(&event)).await;
    attempt(&api, &event, 2, DeliveryState::Dead, AttemptOutcome::Failed).await;
    api.clock.advance(SECOND);

    let path = format!("/api/v1/deliveries/{}", event.deliveries[0].id);
    let answer = api.ask(Method::POST, &format!("{path}/replay")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = answer.json();
    assert_eq!(answer["metadata"]["url"], format!("{path}/replay"));
    let delivery = &answer["data"];
    assert_eq!(delivery["state"], "pending");
    assert_eq!((&delivery["attemptCount"], &delivery["failureCount"]), (&1.into(), &0.into()));
    assert_eq!(delivery["openedAt"], moment(1001).to_string());
    assert_eq!(delivery["settledAt"], serde_json::Value::Null);

    let mut shown = api.read(&path).await["data"].take();
    let shown_only = shown.as_object_mut().unwrap();
    assert_eq!(shown_only.remove("attempts").unwrap().as_array().unwrap().len(), 1);
    assert_eq!(shown_only.remove("nextAttemptAt").unwrap(), moment(1001).to_string());
    assert_eq!(shown_only.remove("lastError").unwrap(), "the answer was 500");
    assert_eq!(shown_only.remove("parkedBy").unwrap(), serde_json::Value::Null);
    assert_eq!(&shown, delivery);
}

#[tokio::test]
async fn a_dead_delivery_is_called_done_with_a_note_and_only_once() {
    let api = Api::new().await;
    let event = owed_by(message(1), "crm");
    api.accept(std::slice::from_ref(&event)).await;
    let path = format!("/api/v1/deliveries/{}", event.deliveries[0].id);
    let resolve = async |body: &str| api.post(&format!("{path}/resolve"), body).await;
    resolve(r#"{"note": "too early"}"#).await.is_problem(409, "delivery_not_dead");
    attempt(&api, &event, 2, DeliveryState::Dead, AttemptOutcome::Failed).await;

    for (body, message) in [
        ("", "note is missing: why the delivery is called done"),
        ("{}", "note is missing: why the delivery is called done"),
        (r#"{"note": ""}"#, r#"note: "" is not a text of 1 to 2000 characters"#),
        (r#"{"note": ["a"]}"#, r#""note" is neither a text nor a number nor true or false"#),
        (r#"{"note": "a", "nope": 1}"#, r#"unknown parameter "nope": did you mean note?"#),
        (r#"["note"]"#, "the body is no JSON object, or too large"),
        ("note=a", "the body is no JSON object, or too large"),
    ] {
        assert_eq!(resolve(body).await.is_problem(400, "invalid_request_values"), message, "{body}");
    }
    let answer = resolve(r#"{"note": "told them by telephone"}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    let resolved = answer.json()["data"].take();
    assert_eq!((&resolved["state"], &resolved["note"]), (&"done".into(), &"told them by telephone".into()));
    assert_eq!(resolved["settledAt"], moment(1000).to_string());
    assert_eq!(api.read(&path).await["data"]["note"], "told them by telephone");
    resolve(r#"{"note": "again"}"#).await.is_problem(409, "delivery_not_dead");
}

#[tokio::test]
async fn a_delivery_says_what_it_waits_for() {
    let api = Api::new().await;
    let (dead, later) = (owed_by(message(1), "crm"), owed_by(message(3), "crm"));
    api.accept(std::slice::from_ref(&dead)).await;
    let waits_for = async |event: &NewEvent| {
        let shown = api.read(&format!("/api/v1/deliveries/{}", event.deliveries[0].id)).await["data"].take();
        (shown["nextAttemptAt"].clone(), shown["parkedBy"].clone())
    };
    let null = serde_json::Value::Null;
    assert_eq!(waits_for(&dead).await, (moment(1).to_string().into(), null.clone()));
    attempt_and_park(&api, &dead, 2, DeliveryState::Dead, AttemptOutcome::Failed, true).await;
    api.accept(std::slice::from_ref(&later)).await;
    let blocking: serde_json::Value = dead.deliveries[0].id.to_string().into();
    assert_eq!(waits_for(&later).await, (null.clone(), blocking.clone()));
    assert_eq!(waits_for(&dead).await, (null, blocking));
}
