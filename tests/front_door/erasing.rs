//! Erasing a person: all that is theirs, and nothing of anybody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keeping::everything_is_settled;
use crate::support::lectern::{Answer, Lectern, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::{Sink, plain};

on_both_stores! {
    async fn a_person_is_erased_from_all_that_is_stored_and_nobody_else_is(setup) {
        let lectern = setup.start().await;
        let (ann, bob) = ("+18015550123", "+18015550999");
        for body in [
            message("m1", "ann-talk", "ann", ann, "Is it still for sale?"),
            message("m2", "ann-talk", "ann", ann, "The walnut one"),
            contact("ann", &json!({"phoneNumbers": ["(801) 555-0123"], "emails": ["ann@example.com"]})),
            message("m3", "bob-talk", "bob", bob, "Tell Ann, at ANN@example.com"),
            message("m4", "bob-talk", "bob", bob, "Good morning"),
            contact("bob", &json!({"phoneNumbers": [bob], "emails": ["bob@example.com"]})),
        ] {
            assert_eq!(lectern.post(body.to_string().as_bytes()).await.status, 200);
        }
        let forged = message("m5", "ann-talk", "ann", ann, "forged").to_string();
        let answer = Answer::of(lectern.signed("/webhooks/podium", "wrong", &now_in_milliseconds(), forged.as_bytes())).await;
        assert_eq!(answer.status, 401);
        everything_is_settled(&lectern).await;
        eventually("the forged one is in quarantine", async || {
            (lectern.get("/api/v1/quarantine").await.as_array()?.len() == 1).then_some(())
        })
        .await;

        let person = ["erase", "--phone", "801-555-0123", "--json"];
        let look = setup.run(&[&person[..], &["--dry-run"]].concat()).await;
        let seen: Value = serde_json::from_str(&look.stdout).unwrap();
        assert!(look.success, "{look:?}");
        assert_eq!(seen["knownAs"]["emails"], json!(["ann@example.com"]), "{seen}");
        assert_eq!(seen["knownAs"]["uids"], json!(["ann", "ann-talk"]), "{seen}");
        assert_eq!(seen["knownAs"]["phones"], json!(["8015550123"]), "{seen}");
        assert_eq!(seen["contacts"], json!([{"uid": "ann", "name": "ann", "by": "8015550123"}]), "{seen}");
        let found = &seen["found"];
        assert_eq!([&found["events"], &found["messages"], &found["contacts"], &found["in quarantine"]], [4, 3, 1, 1], "{seen}");
        assert_eq!(lectern.get("/api/v1/messages").await.as_array().unwrap().len(), 4, "to look changes nothing");

        let unsure = setup.run(&person).await;
        assert!(!unsure.success && unsure.stderr.contains("--yes"), "{unsure:?}");
        let erased = setup.run(&[&person[..], &["--yes"]].concat()).await;
        assert!(erased.success, "{erased:?}");
        let left: Vec<_> = uids(&lectern.get("/api/v1/messages").await);
        assert_eq!(left, ["m4"]);
        assert_eq!(uids(&lectern.get("/api/v1/contacts").await), ["bob"]);
        assert_eq!(uids(&lectern.get("/api/v1/conversations").await), ["bob-talk"]);
        let talk = lectern.get("/api/v1/conversations/bob-talk").await;
        assert_eq!((&talk["inboundMessages"], &talk["lastMessage"]["uid"]), (&json!(1), &json!("m4")));
        assert_eq!(lectern.get("/api/v1/quarantine").await, json!([]));
        let events = lectern.get("/api/v1/events?include=payload").await;
        assert_eq!(events.as_array().unwrap().len(), 6, "the ledger stays");
        let told = events.to_string().to_lowercase();
        assert!(!told.contains("555-0123") && !told.contains("5550123") && !told.contains("ann@"), "{told}");
        assert_eq!(lectern.get("/api/v1/deliveries").await.as_array().unwrap().len(), 2);

        // Podium sends the first once more: it is known, and nothing comes back.
        let again = lectern.post(message("m1", "ann-talk", "ann", ann, "Is it still for sale?").to_string().as_bytes()).await;
        assert_eq!(again.json()["data"]["status"], "duplicate");
        let once_more = setup.run(&["erase", "--phone", "801-555-0123", "--contact", "ann", "--email", "ann@example.com", "--yes"]).await;
        assert!(once_more.success && once_more.stdout.contains("Nothing is stored"), "{once_more:?}");
    }

    async fn what_many_people_share_leads_to_none_of_them(setup) {
        let lectern = setup.start().await;
        let placeholder = "noemail@noemail.com";
        let mut bodies =
            vec![contact("ann", &json!({"phoneNumbers": ["+18015550123"], "emails": [placeholder, "ann@example.com"]}))];
        for number in 1..=6 {
            let addresses = json!({"emails": [placeholder, format!("other-{number}@example.com")]});
            bodies.push(contact(&format!("other-{number}"), &addresses));
        }
        bodies.push(message("m1", "other-talk", "other-1", "+18015550999", "Good morning"));
        all_arrive(&lectern, &bodies).await;

        let ann = ["erase", "--phone", "+18015550123"];
        let look = setup.run(&[&ann[..], &["--dry-run"]].concat()).await;
        assert!(look.stdout.contains("ann, ann (18015550123)"), "{look:?}");
        assert!(look.stdout.contains("noemail@noemail.com, also of 6 more: not looked for"), "{look:?}");
        let erased = setup.run(&[&ann[..], &["--yes"]].concat()).await;
        assert!(erased.success, "{erased:?}");
        assert_eq!(uids(&lectern.get("/api/v1/contacts").await).len(), 6);
        assert_eq!(uids(&lectern.get("/api/v1/messages").await), ["m1"]);

        // Given, it counts; and that it is so many people is said before they are gone.
        let many = ["erase", "--email", placeholder, "--yes"];
        let refused = setup.run(&many).await;
        assert!(!refused.success && refused.stderr.contains("6 contacts"), "{refused:?}");
        assert!(refused.stderr.contains("--all-contacts") && refused.stdout.contains("other-6, other-6 (noemail"), "{refused:?}");
        assert_eq!(uids(&lectern.get("/api/v1/contacts").await).len(), 6);
        let erased = setup.run(&[&many[..], &["--all-contacts"]].concat()).await;
        assert!(erased.success, "{erased:?}");
        assert_eq!(lectern.get("/api/v1/contacts").await, json!([]));
        assert_eq!(lectern.get("/api/v1/messages").await, json!([]));
    }

    async fn a_person_is_found_by_messages_alone(setup) {
        let lectern = setup.start().await;
        let (ann, bob) = ("+18015550123", "+18015550999");
        all_arrive(&lectern, &[
            message("m1", "by mail", "ann", "ann@example.com", "May I come by?"),
            message("m2", "by phone", "ann", ann, "It's me"),
            message("m3", "bob's", "bob", bob, "Who is ann@example.com?"),
            message("m4", "bob's", "bob", bob, "Never mind"),
        ])
        .await;
        let erased = setup.run(&["erase", "--phone", ann, "--yes", "--json"]).await;
        assert!(erased.success, "{erased:?}");
        let told: Value = serde_json::from_str(&erased.stdout).unwrap();
        assert_eq!(told["knownAs"]["emails"], json!(["ann@example.com"]), "{told}");
        assert_eq!(uids(&lectern.get("/api/v1/messages").await), ["m4"]);
        assert_eq!(uids(&lectern.get("/api/v1/conversations").await), ["bob's"]);
    }
}

/// Who it is, the mirror tells: where it has not come to an event, or reads bodies again, nothing is erased.
#[tokio::test]
async fn nothing_is_erased_before_the_mirror_has_it() {
    let setup = Setup::postgres().await;
    let receives = setup.config("role = \"receive\"");
    let lectern = receives.start().await;
    for body in [
        message("m1", "by mail", "ann", "ann@example.com", "May I come by?"),
        message("m2", "by phone", "ann", "+18015550123", "It's me"),
    ] {
        assert_eq!(lectern.post(body.to_string().as_bytes()).await.status, 200);
    }
    let person = ["erase", "--phone", "+18015550123", "--yes"];
    let early = receives.run(&person).await;
    assert!(!early.success && early.stderr.contains("2 events are not mirrored yet"), "{early:?}");
    let look = receives.run(&[&person[..3], &["--dry-run"]].concat()).await;
    assert!(look.success && look.stdout.contains("2 events, which may tell more"), "{look:?}");

    assert_eq!(lectern.api(Method::POST, "/api/v1/mirror/rebuild").await.status, 202);
    let meanwhile = receives.run(&person).await;
    assert!(!meanwhile.success && meanwhile.stderr.contains("being made anew"), "{meanwhile:?}");

    let setup = receives.config("role = \"all\"");
    let lectern = setup.start().await;
    eventually("the mirror is made anew", async || {
        let mirror = lectern.get("/api/v1/mirror").await;
        (mirror["waiting"] == 0 && mirror["rebuild"]["endedAt"].is_string()).then_some(())
    })
    .await;
    everything_is_settled(&lectern).await;
    let erased = setup.run(&person).await;
    assert!(erased.success, "{erased:?}");
    assert_eq!(lectern.get("/api/v1/messages").await, json!([]));
}

/// What a handler still owes is not taken from it.
#[tokio::test]
async fn an_event_that_is_still_owed_is_named_and_stays() {
    let is_well = Arc::new(AtomicBool::new(false));
    let sink = Sink::answering({
        let is_well = Arc::clone(&is_well);
        move |_, _| {
            let status =
                if is_well.load(Ordering::SeqCst) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            plain(status)
        }
    })
    .await;
    let setup = Setup::sqlite()
        .config(&format!("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"\n", sink.url));
    let lectern = setup.start().await;
    assert_eq!(
        lectern
            .post(
                message("m1", "t", "ann", "+18015550123", "Hello, it's me, with the xylophone")
                    .to_string()
                    .as_bytes()
            )
            .await
            .status,
        200
    );
    let erased = setup.run(&["erase", "--contact", "ann", "--yes"]).await;
    assert!(!erased.success && erased.stdout.contains("1 events stay as they are"), "{erased:?}");
    is_well.store(true, Ordering::SeqCst);
    eventually("it is handled", async || {
        setup.run(&["replay", "--handler", "crm", "--yes"]).await;
        (lectern.get("/api/v1/deliveries?state=done").await.as_array()?.len() == 1).then_some(())
    })
    .await;
    let erased = setup.run(&["erase", "--contact", "ann", "--yes"]).await;
    assert!(erased.success, "{erased:?}");
    assert!(lectern.stop().await.success());
    let file = std::fs::read(setup.data_dir().join("lectern.db")).unwrap();
    for left in ["Hello, it's m", "xylophone"] {
        let is_there = file.windows(left.len()).any(|bytes| bytes == left.as_bytes());
        assert!(!is_there, "what is erased is overwritten, too: {left}");
    }
}

async fn all_arrive(lectern: &Lectern, bodies: &[Value]) {
    for body in bodies {
        assert_eq!(lectern.post(body.to_string().as_bytes()).await.status, 200);
    }
    everything_is_settled(lectern).await;
}

fn uids(list: &Value) -> Vec<String> {
    let uid = |item: &Value| item["uid"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(uid).collect()
}

fn message(uid: &str, conversation: &str, contact: &str, phone: &str, text: &str) -> Value {
    json!({
        "data": {
            "body": text,
            "uid": uid,
            "createdAt": "2026-11-20T10:00:00Z",
            "contact": {"uid": contact, "name": contact},
            "conversation": {"uid": conversation, "channel": {"identifier": phone, "type": "phone"}},
        },
        "metadata": {"eventType": "message.received", "eventUid": format!("event-{uid}"), "version": "2021.04.01"},
    })
}

fn contact(uid: &str, details: &Value) -> Value {
    let mut after = json!({"uid": uid, "name": uid, "createdAt": "2026-11-20T10:00:00Z"});
    after.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    json!({
        "data": {"after": after},
        "metadata": {"eventType": "contact.created", "eventUid": format!("event-{uid}"), "version": "2021.04.01"},
    })
}
