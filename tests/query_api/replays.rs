//! Replays of many deliveries: what is asked for, and how it is shown.

use axum::http::{Method, StatusCode};
use lectern::model::{
    AttemptOutcome, DeliveryFilter, DeliveryState, EventFilter, NewToken, Role, TokenDigest, TokenId,
};
use lectern::store::{LeaseToken, Portion, ReplayLease};
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, SECOND, message, moment, owed_by};
use crate::deliveries::attempt;

/// One dead delivery of `crm`, and one that `audit` has done.
async fn closed(api: &Api) {
    let (dead, done) = (owed_by(message(1), "crm"), owed_by(message(2), "audit"));
    api.accept(&[dead.clone(), done.clone()]).await;
    attempt(api, &dead, 3, DeliveryState::Dead, AttemptOutcome::Failed).await;
    attempt(api, &done, 3, DeliveryState::Done, AttemptOutcome::Done).await;
}

#[tokio::test]
async fn a_dry_run_only_counts() {
    let api = Api::new().await;
    closed(&api).await;
    for (query, matched) in [
        ("", 1),
        ("&handler=crm", 1),
        ("&handler=audit", 0),
        ("&onlyFailed=false", 2),
        ("&onlyFailed=false&state=done", 1),
        ("&state=dead", 1),
        ("&onlyFailed=false&receivedAfter=2026-11-22T09:00:02Z", 1),
        ("&eventType=call.*", 0),
    ] {
        let answer = api.ask(Method::POST, &format!("/api/v1/replays?dryRun=true{query}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["data"], json!({"dryRun": true, "matched": matched}), "{query}");
    }
    assert!(api.ids("/api/v1/replays").await.is_empty());
}

#[tokio::test]
async fn a_replay_is_asked_for_in_the_query_or_in_the_body_and_shown_until_it_is_through() {
    let api = Api::new().await;
    closed(&api).await;
    let answer = api
        .post(
            "/api/v1/replays?handler=crm",
            r#"{"eventType": "message.*", "rate": 5, "receivedAfter": "2026-11-22T09:00:00Z", "source": null}"#,
        )
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let begun = answer.json()["data"].take();
    let id = begun["id"].as_str().unwrap().to_owned();
    let expected = |id: &str| {
        json!({
            "id": id,
            "state": "running",
            "matched": 1,
            "replayed": 0,
            "progress": 0.0,
            "rate": 5,
            "onlyFailed": true,
            "filter": {
                "state": "dead",
                "handler": "crm",
                "eventId": null,
                "eventType": "message.*",
                "source": null,
                "locationUid": null,
                "conversationUid": null,
                "receivedAfter": "2026-11-22T09:00:00Z",
                "receivedBefore": null,
            },
            "createdAt": moment(1000).to_string(),
            "createdBy": "(configured token)",
            "endedAt": null,
        })
    };
    assert_eq!(begun, expected(&id));
    assert_eq!(api.read(&format!("/api/v1/replays/{id}")).await["data"], begun);
    assert_eq!(api.read("/api/v1/replays").await["data"], json!([begun]));
    let filter = DeliveryFilter {
        state: Some(DeliveryState::Dead),
        handler: Some("crm".into()),
        event_id: None,
        event: EventFilter {
            event_type: Some("message.*".parse().unwrap()),
            received_after: Some(moment(0)),
            ..EventFilter::default()
        },
    };
    assert_eq!(api.store.one_replay(id.parse().unwrap()).await.unwrap().unwrap().filter, filter);

    let (token, now) = (LeaseToken(Uuid::from_u128(1)), moment(1001));
    api.store.lease_replays(&ReplayLease { token, now, until: moment(2000) }).await.unwrap();
    let portion = Portion { replay: id.parse().unwrap(), token, at_most: 10, now };
    assert!(api.store.reopen(&portion).await.unwrap().unwrap().is_through);
    let ended = api.read(&format!("/api/v1/replays/{id}")).await["data"].take();
    assert_eq!(
        (&ended["state"], &ended["replayed"], &ended["progress"]),
        (&json!("done"), &json!(1), &json!(1.0))
    );
    assert_eq!(ended["endedAt"], moment(1001).to_string());
}

#[tokio::test]
async fn a_replay_says_which_token_asked_for_it() {
    let api = Api::new().await;
    let digest = TokenDigest::of("another");
    let token = NewToken {
        id: TokenId::at(moment(1)),
        name: "night shift".into(),
        digest,
        role: Role::Admin,
        created_at: moment(1),
        expires_at: None,
    };
    api.store.add_token(&token).await.unwrap();
    let answer = api.ask_with(Method::POST, "/api/v1/replays?eventType=*", &["Bearer another"]).await;
    assert_eq!(answer.json()["data"]["createdBy"], "night shift");
    assert_eq!(answer.json()["data"]["rate"], 50);
}

#[tokio::test]
async fn a_replay_is_cancelled_once() {
    let api = Api::new().await;
    closed(&api).await;
    let begun = api.post("/api/v1/replays?handler=crm", "").await.json()["data"].take();
    let path = format!("/api/v1/replays/{}", begun["id"].as_str().unwrap());
    let cancelled = api.ask(Method::POST, &format!("{path}/cancel")).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let cancelled = cancelled.json()["data"].take();
    assert_eq!(
        (&cancelled["state"], &cancelled["endedAt"]),
        (&json!("cancelled"), &json!(moment(1000).to_string()))
    );
    api.clock.advance(SECOND);
    assert_eq!(api.ask(Method::POST, &format!("{path}/cancel")).await.json()["data"], cancelled);
    assert_eq!(api.read(&path).await["data"], cancelled);
}

#[tokio::test]
async fn what_can_not_be_replayed_is_said_and_nothing_is() {
    let api = Api::new().await;
    closed(&api).await;
    let closed =
        "state: only what is closed is replayed: dead deliveries, and done ones with onlyFailed=false";
    let filter =
        "a filter is missing: name what is to be replayed, such as handler, or eventType=* for everything";
    for (query, body, message) in [
        ("state=pending", "", closed),
        ("state=pending&onlyFailed=false", "", closed),
        ("state=done", "", closed),
        ("", "", filter),
        ("", "{}", filter),
        ("state=dead", "", filter),
        ("onlyFailed=false&rate=5&dryRun=false", "", filter),
        ("", r#"{"handler": null}"#, filter),
        ("rate=0", "", r#"rate: "0" is not a whole number from 1 to 1000"#),
        ("", r#"{"rate": 1001}"#, r#"rate: "1001" is not a whole number from 1 to 1000"#),
        ("", r#"{"rate": 1.5}"#, r#"rate: "1.5" is not a whole number from 1 to 1000"#),
        ("dryrun=true", "", r#"unknown parameter "dryrun": did you mean dryRun?"#),
        ("dryRun=yes", "", r#"dryRun: "yes" is not true or false"#),
        ("", r#"{"handlers": "crm"}"#, r#"unknown parameter "handlers": did you mean handler?"#),
        ("handler=crm", r#"{"handler": "audit"}"#, "handler is given more than once"),
        ("", "handler=crm", "the body is no JSON object, or too large"),
        ("limit=5", "", r#"unknown parameter "limit""#),
    ] {
        let answer = api.post(&format!("/api/v1/replays?{query}"), body).await;
        assert_eq!(answer.is_problem(400, "invalid_request_values"), message, "{query} {body}");
    }
    assert!(api.ids("/api/v1/replays").await.is_empty());
}

#[tokio::test]
async fn replays_are_paged() {
    let api = Api::new().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let begun = api.post("/api/v1/replays?handler=crm", "").await.json();
        expected.insert(0, begun["data"]["id"].as_str().unwrap().to_owned());
        api.clock.advance(SECOND);
    }
    let page = api.read("/api/v1/replays?limit=3").await;
    let mut seen = crate::api::ids(&page);
    let next = page["metadata"]["nextCursor"].as_str().unwrap();
    seen.extend(api.ids(&format!("/api/v1/replays?cursor={next}")).await);
    assert_eq!(seen, expected);
}
