//! What the mirror shows through the API.

use axum::http::{Method, StatusCode};
use lectern::podium::{EventType, samples};
use serde_json::{Value, json};

use crate::api::Api;

const MARISOL: &str = "a1a6bcde-3a12-4c64-ae02-ff05b7c1dce2";
const TALK: &str = "42f2dc05-873f-4bd0-b608-0f174c96d8e2";

/// One event of each type.
async fn with_samples() -> Api {
    let api = Api::new().await;
    let bodies: Vec<Value> = EventType::ALL
        .iter()
        .map(|event_type| serde_json::from_str(samples::body(event_type).unwrap()).unwrap())
        .collect();
    api.hear(&bodies).await;
    api
}

fn said(event_type: &str, uid: &str, at: &str, text: &str) -> Value {
    json!({
        "data": {
            "uid": uid,
            "body": text,
            "createdAt": at,
            "contactName": "Ada",
            "conversation": {"uid": "c", "channel": {"type": "phone", "identifier": "+1801"}},
            "contact": {"uid": "ada"},
            "location": {"uid": "here", "organizationUid": "we"},
        },
        "metadata": {"eventType": event_type, "eventUid": format!("{event_type} {uid}")},
    })
}

fn uids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|item| item["uid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_kind_is_listed_and_shown_with_the_events_behind_it() {
    let api = with_samples().await;
    let lists = [
        "messages",
        "conversations",
        "contacts",
        "invoices",
        "reviews",
        "review-invites",
        "review-responses",
        "calls",
    ];
    for list in lists {
        let page = api.read(&format!("/api/v1/{list}")).await;
        let item = &page["data"][0];
        let uid = item["uid"].as_str().unwrap_or_else(|| panic!("{list}: {page}"));
        let shown = api.read(&format!("/api/v1/{list}/{uid}")).await;
        // Every list has the survivor of the merge first, or nothing that was merged.
        assert_eq!(shown["data"], *item, "{list}");
        let behind = api.read(item["events"].as_str().unwrap()).await;
        assert!(!behind["data"].as_array().unwrap().is_empty(), "{list}: {behind}");
        let by_uid = api.read(&format!("/api/v1/{list}/{uid}/events")).await;
        assert_eq!(by_uid["data"], behind["data"], "{list}");
        for path in ["nothing", "nothing/events"] {
            api.get(&format!("/api/v1/{list}/{path}")).await.is_problem(404, "resource_not_found");
        }
    }
    let status = api.read("/api/v1/mirror").await;
    assert_eq!((&status["data"]["waiting"], &status["data"]["skipped"]), (&json!(0), &json!(0)));
    assert_eq!(status["data"]["rebuild"], Value::Null);
}

#[tokio::test]
async fn a_conversation_tells_what_was_said_last_and_whether_it_waits() {
    let api = Api::new().await;
    api.hear(&[
        said("message.received", "m1", "2026-03-01T10:00:00Z", "Is it open?"),
        said("message.sent", "m2", "2026-03-01T10:05:00Z", "Yes"),
        said("message.failed", "m2", "2026-03-01T10:05:00Z", "Yes"),
    ])
    .await;
    insta::assert_json_snapshot!(api.read("/api/v1/conversations/c").await["data"]);
    let waiting = api.read("/api/v1/conversations?awaitingReply=true").await;
    assert_eq!(uids(&waiting), ["c"]);
    api.hear(&[said("message.sent", "m3", "2026-03-01T10:07:00Z", "Yes, it is")]).await;
    assert_eq!(uids(&api.read("/api/v1/conversations?awaitingReply=true").await), Vec::<&str>::new());
    let talk = api.read("/api/v1/conversations/c/messages").await;
    assert_eq!(uids(&talk), ["m3", "m2", "m1"]);
    assert_eq!(talk["data"][1]["status"], "failed");
    let answered = api.read("/api/v1/conversations/c/messages?direction=outbound&status=sent").await;
    assert_eq!(uids(&answered), ["m3"]);
}

#[tokio::test]
async fn the_picture_is_the_same_whatever_the_order_of_events() {
    let mut pictures = Vec::new();
    for turn in 0..3 {
        let api = Api::new().await;
        let mut bodies: Vec<Value> = EventType::ALL
            .iter()
            .map(|event_type| serde_json::from_str(samples::body(event_type).unwrap()).unwrap())
            .collect();
        bodies.rotate_left(turn * 9);
        if turn == 1 {
            bodies.reverse();
        }
        api.hear(&bodies).await;
        let mut picture = Vec::new();
        for list in
            ["messages", "conversations", "contacts", "invoices", "reviews", "review-responses", "calls"]
        {
            picture.push(api.read(&format!("/api/v1/{list}?limit=100")).await["data"].clone());
        }
        pictures.push(picture);
    }
    assert_eq!(pictures[0], pictures[1]);
    assert_eq!(pictures[0], pictures[2]);
}

#[tokio::test]
async fn the_old_uid_of_a_merged_contact_leads_to_the_one_that_stays() {
    let api = with_samples().await;
    let old = "489229e0-e9a5-442c-9d07-53e5f6e5c77a";
    let contact = api.read(&format!("/api/v1/contacts/{old}")).await;
    // Of the samples, one tells that she was deleted in the end.
    assert_eq!((&contact["data"]["uid"], &contact["data"]["status"]), (&json!(MARISOL), &json!("deleted")));
    let merged = api.read("/api/v1/contacts?status=merged").await;
    assert_eq!((uids(&merged), &merged["data"][0]["mergedInto"]), (vec![old], &json!(MARISOL)));
    // What names one of them is found by the other.
    for uid in [old, MARISOL] {
        let talks = api.read(&format!("/api/v1/conversations?contactUid={uid}")).await;
        assert_eq!(uids(&talks), [TALK]);
    }
    let reached = api.read("/api/v1/contacts?channelIdentifier=%2B18015550142&status=deleted").await;
    assert_eq!(uids(&reached), [MARISOL]);
}

#[tokio::test]
async fn words_are_found_in_texts_and_names() {
    let api = with_samples().await;
    for (query, number) in [
        ("messages?q=walnut+SIDEBOARD", 1),
        ("messages?q=okafor", 3),
        ("messages?q=unheard", 0),
        ("conversations?q=marisol", 1),
        ("contacts?q=okafor&status=deleted", 1),
        ("invoices?q=SB-2026-0311", 3),
        ("reviews?q=scratch", 1),
        ("reviews?locationUid=0ff9bb51-0944-4e0c-bdfb-369bab13dfae&needsResponse=false", 1),
        ("reviews?locationUid=elsewhere", 0),
        ("calls?customerPhoneNumber=%2B18015550142", 4),
    ] {
        let found = api.read(&format!("/api/v1/{query}")).await;
        assert_eq!(found["data"].as_array().unwrap().len(), number, "{query}: {found}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_named() {
    let api = Api::new().await;
    for (query, named) in [
        ("messages?colour=red", "colour"),
        ("messages?direction=sideways", "inbound, outbound"),
        ("messages?q=%21%21", "letter or a digit"),
        ("conversations?awaitingReply=perhaps", "true or false"),
        ("contacts?createdAfter=yesterday", "createdAfter"),
        ("calls?limit=101", "limit"),
        ("stats?receivedAfter=2026-01-01T00:00:00Z&receivedBefore=2026-03-01T00:00:00Z", "7 days"),
        ("events/stream?lastEventId=first", "lastEventId"),
    ] {
        let message = api.get(&format!("/api/v1/{query}")).await.is_problem(400, "invalid_request_values");
        assert!(message.contains(named), "{query}: {message}");
    }
    let other = api.get("/api/v1/messages?cursor=bm8").await;
    other.is_problem(400, "invalid_cursor");
    // Anybody can write a cursor; one with a uid that no database knows is the end of no list.
    let odd =
        br#"{"list":"/api/v1/messages","below":{"at":"9999-12-30T21:59:59Z","uid":"a\u0000b"},"asked":[]}"#;
    let odd = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, odd);
    assert_eq!(api.read(&format!("/api/v1/messages?cursor={odd}")).await["data"], json!([]));
}

#[tokio::test]
async fn a_list_is_walked_through_by_its_cursors() {
    let api = Api::new().await;
    let bodies: Vec<Value> = (0..25)
        .map(|number| {
            let at = format!("2026-03-01T10:{:02}:00Z", number / 2);
            said("message.received", &format!("m{number:02}"), &at, "Hello")
        })
        .collect();
    api.hear(&bodies).await;
    let (mut path, mut walked) = ("/api/v1/messages?limit=7&conversationUid=c".to_owned(), Vec::new());
    loop {
        let page = api.read(&path).await;
        walked.extend(uids(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { break };
        path = format!("/api/v1/messages?cursor={cursor}");
    }
    let expected: Vec<String> = (0..25).rev().map(|number| format!("m{number:02}")).collect();
    assert_eq!(walked, expected);
}

#[tokio::test]
async fn an_event_without_a_picture_is_listed_with_the_reason() {
    let api = Api::new().await;
    api.hear(&[
        json!({"data": {"amount": 5}, "metadata": {"eventType": "invoice.created"}}),
        json!({"data": {"uid": "m", "items": 7}, "metadata": {"eventType": "message.sent"}}),
        json!({"data": {"uid": "a"}, "metadata": {"eventType": "appointment.booked"}}),
        json!({"data": "Data for the test webhook event :)"}),
        json!({"data": {"body": "no uid"}, "metadata": {"eventType": "message.sent"}}),
    ])
    .await;
    let skipped = api.read("/api/v1/mirror/skipped").await;
    let reasons: Vec<_> =
        skipped["data"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert!(reasons[0].contains("items"), "{reasons:?}");
    assert_eq!(reasons[1..], ["the invoice has no uid"]);
    let event = api.read(skipped["data"][0]["event"].as_str().unwrap()).await;
    assert_eq!(event["data"]["type"], "message.sent");
    // A message without a uid is a message all the same, by the name of its event.
    let messages = api.read("/api/v1/messages").await;
    assert_eq!(messages["data"][0]["body"], "no uid");
    assert_eq!(messages["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_mirror_can_be_made_anew() {
    let api = with_samples().await;
    let before = api.read("/api/v1/messages").await;
    let asked = api.post("/api/v1/mirror/rebuild", "").await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    assert_eq!(asked.json()["data"]["rebuild"]["total"], 26);
    let (stop, clock) = (tokio_util::sync::CancellationToken::new(), std::sync::Arc::new(api.clock.clone()));
    let mirroring = lectern::mirror::run(api.store.clone(), clock, api.store.work_signal(), stop.clone());
    let ended = async {
        while api.read("/api/v1/mirror").await["data"]["rebuild"]["endedAt"].is_null() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    tokio::join!(mirroring, ended);
    assert_eq!(api.read("/api/v1/messages").await, before);
}

#[tokio::test]
async fn statistics_count_what_arrived_and_how_soon_it_was_answered() {
    let api = Api::new().await;
    api.hear(&[
        said("message.received", "m1", "2026-03-01T10:00:00Z", "Hello?"),
        said("message.received", "m2", "2026-03-01T10:01:00Z", "Anybody there?"),
        said("message.failed", "m3", "2026-03-01T10:02:00Z", "Yes"),
        said("message.sent", "m4", "2026-03-01T10:03:00Z", "Yes"),
        said("message.sent", "m5", "2026-03-01T10:09:00Z", "Are you there?"),
        said("message.received", "m6", "2026-03-01T11:00:00Z", "Now I am"),
        said("message.sent", "m7", "2026-03-01T11:01:00Z", "Good"),
        said("message.received", "m8", "2026-03-01T11:30:00Z", "Not answered"),
    ])
    .await;
    let arrived = api.read("/api/v1/stats").await;
    assert_eq!(arrived["data"]["events"]["total"], 8);
    assert_eq!(arrived["data"]["events"]["byType"]["message.sent"], 3);
    assert_eq!(arrived["data"]["events"]["byHour"], json!([{"hour": "2026-11-22T09:00:00Z", "count": 8}]));
    assert_eq!(arrived["data"]["responseTimes"]["count"], 0, "these were made long before");
    let range = "receivedAfter=2026-03-01T00:00:00Z&receivedBefore=2026-03-02T00:00:00Z";
    let said = api.read(&format!("/api/v1/stats?{range}")).await;
    assert_eq!(
        said["data"]["responseTimes"],
        json!({"count": 2, "averageSeconds": 120.0, "medianSeconds": 60.0, "ninetiethPercentileSeconds": 180.0})
    );
}

#[tokio::test]
async fn an_answer_that_did_not_change_is_not_sent_again_and_a_long_one_is_compressed() {
    let api = with_samples().await;
    let first = api.get("/api/v1/messages").await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = api.get_with("/api/v1/messages", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    let compressed = api.get_with("/api/v1/messages", &[("accept-encoding", "gzip")]).await;
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    assert!(compressed.body.len() < first.body.len());
    api.hear(&[said("message.received", "new", "2026-12-01T10:00:00Z", "News")]).await;
    let changed = api.get_with("/api/v1/messages", &[("if-none-match", &tag)]).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(api.ask(Method::GET, "/api/v1/nothing").await.header("etag"), None);
}

#[tokio::test]
async fn what_only_podium_knows_is_asked_of_podium() {
    let api = with_samples().await;
    let path = format!("/api/v1/conversations/{TALK}/lead-id");
    let expected = json!({ "conversationUid": TALK, "lead": { "leadId": format!("lead-{TALK}") } });
    assert_eq!(api.read(&path).await["data"], expected);
    let mut assigned = said("message.received", "m", "2026-11-22T09:00:00Z", "Who looks after me?");
    assigned["data"]["conversation"]["assignedUserUid"] = "a-user".into();
    api.hear(&[assigned]).await;
    assert_eq!(api.read("/api/v1/conversations/c").await["data"]["assignedUserName"], "Ann Lee");
    // Neither location nor organization: there is nothing to ask Podium for.
    let mut placeless = said("message.received", "n", "2026-11-22T09:00:00Z", "Where am I?");
    placeless["data"]["location"] = json!({});
    placeless["data"]["conversation"]["uid"] = "d".into();
    api.hear(&[placeless]).await;
    api.get("/api/v1/conversations/d/lead-id").await.is_problem(404, "not_offered");
    api.get("/api/v1/conversations/nobody/lead-id").await.is_problem(404, "resource_not_found");
}

#[tokio::test]
async fn whoever_comes_back_from_podium_without_being_asked_is_told_so_and_needs_no_token() {
    let api = Api::new().await;
    for (path, said) in [
        ("/oauth/callback?state=s&code=c", "nobody asked for it &lt;b&gt;."),
        ("/oauth/callback?error=access_denied&state=s", "it was not allowed"),
        ("/oauth/callback", "it was not allowed"),
    ] {
        let answer = api.ask_with(Method::GET, path, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().contains(said), "{}", answer.text());
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"));
    }
}
