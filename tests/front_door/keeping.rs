//! What is kept, and for how long: forgetting by age, and erasing a person.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::events::new_event;
use crate::support::lectern::{Answer, Lectern, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::{Sink, plain};

on_both_stores! {
    async fn what_is_old_is_pruned_and_the_rest_stays(setup) {
        let setup = setup.config("[verification]\nmax_age = \"5s\"\nmax_future = \"1s\"\n[retention]\nevents = \"6s\"\n");
        let lectern = setup.start().await;
        assert_eq!(lectern.post(&new_event("message.received", "a conversation")).await.status, 200);
        eventually("the event is handled", async || {
            (lectern.get("/api/v1/deliveries?state=done").await.as_array()?.len() == 1).then_some(())
        })
        .await;
        let young = setup.run(&["prune", "--json"]).await;
        let forgotten: Value = serde_json::from_str(&young.stdout).unwrap();
        assert!(forgotten.as_array().unwrap().iter().all(|line| line["forgotten"] == 0), "{forgotten}");

        eventually("all of it is old", async || {
            let old: Value = serde_json::from_str(&setup.run(&["prune", "--dry-run", "--json"]).await.stdout).ok()?;
            let count = |what: &str| old.as_array()?.iter().find(|line| line["what"] == what)?["old"].as_u64();
            (["deliveries", "bodies", "events"].map(count) == [Some(1); 3]).then_some(())
        })
        .await;
        assert_eq!(lectern.get("/api/v1/events").await.as_array().unwrap().len(), 1, "to look changes nothing");
        let pruned = setup.run(&["prune"]).await;
        assert!(pruned.success, "{pruned:?}");
        assert_eq!(lectern.get("/api/v1/deliveries").await, json!([]));
        // PostgreSQL forgets bodies by the week, and this one is not over; the event goes after its body.
        let is_by_week = setup.env.iter().any(|(name, _)| name == "DATABASE_URL");
        let left = lectern.get("/api/v1/events").await.as_array().unwrap().len();
        assert_eq!(left, usize::from(is_by_week));
        // What the mirror has is not forgotten by age.
        assert_eq!(lectern.get("/api/v1/messages").await.as_array().unwrap().len(), 1);
    }

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
}

/// As docs/operating.md has it.
#[tokio::test]
async fn everything_moves_from_sqlite_to_postgres_by_two_commands() {
    let setup = Setup::sqlite();
    let lectern = setup.start().await;
    for number in 0..30 {
        let talk = format!("talk {}", number % 3);
        assert_eq!(lectern.post(&new_event("message.received", &talk)).await.status, 200);
    }
    everything_is_settled(&lectern).await;
    let lists =
        ["events?include=payload&limit=100", "deliveries?limit=100", "messages?limit=100", "conversations"];
    let mut before = Vec::new();
    for list in lists {
        before.push(lectern.get(&format!("/api/v1/{list}")).await);
    }
    let known = new_event("message.received", "talk 0");
    assert_eq!(lectern.post(&known).await.json()["data"]["status"], "accepted");
    everything_is_settled(&lectern).await;
    assert!(lectern.stop().await.success());

    let written = setup.run(&["export", "--output", "lectern.ndjson"]).await;
    assert!(written.success, "{written:?}");
    let over = setup.run(&["export", "--output", "lectern.ndjson"]).await;
    assert!(!over.success && over.stderr.contains("lectern.ndjson"), "{over:?}");
    let setup = setup.env("DATABASE_URL", &crate::support::postgres::fresh_postgres_database().await);
    let read = setup.run(&["import", "lectern.ndjson"]).await;
    assert!(read.success && read.stdout.contains("and the same"), "{read:?}");
    let again = setup.run(&["import", "lectern.ndjson"]).await;
    assert!(!again.success && again.stderr.contains("not empty"), "{again:?}");

    let lectern = setup.start().await;
    assert_eq!(lectern.post(&known).await.json()["data"]["status"], "duplicate");
    let newest = |list: &Value| list.as_array().unwrap()[0]["id"].clone();
    let events = lectern.get("/api/v1/events?include=payload&limit=100").await;
    assert_eq!(events.as_array().unwrap()[1..], *before[0].as_array().unwrap());
    assert_ne!(newest(&events), newest(&before[0]));
    assert_eq!(
        lectern.get("/api/v1/deliveries?limit=100").await.as_array().unwrap()[1..],
        *before[1].as_array().unwrap()
    );
    assert_eq!(lectern.get("/api/v1/messages?q=walnut&limit=100").await.as_array().unwrap().len(), 31);
    assert_eq!(lectern.get("/api/v1/conversations").await.as_array().unwrap().len(), 3);
    assert_eq!(lectern.post(&new_event("message.received", "talk 1")).await.status, 200);
    everything_is_settled(&lectern).await;
    assert_eq!(lectern.get("/api/v1/deliveries?state=done&limit=100").await.as_array().unwrap().len(), 32);
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

async fn everything_is_settled(lectern: &Lectern) {
    eventually("everything is mirrored and handled", async || {
        let waits = lectern.get("/api/v1/mirror").await["waiting"].as_u64()?;
        let open = lectern.get("/api/v1/deliveries?state=pending").await.as_array()?.len();
        (waits == 0 && open == 0).then_some(())
    })
    .await;
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
