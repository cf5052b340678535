//! What is kept, and for how long: forgetting by age, and moving all of it.

use lectern::clock::Clock as _;
use lectern::model::{Arrival, Content, EventId};
use lectern::spool::Spool;
use serde_json::{Value, json};

use crate::events::new_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::eventually;

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
    assert!(written.success && !written.stderr.contains("spool"), "{written:?}");
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

/// They were acknowledged: whoever moves without them loses them.
#[tokio::test]
async fn what_waits_in_the_spool_is_named_when_all_is_written_out() {
    let setup = Setup::sqlite();
    assert!(setup.start().await.stop().await.success());
    let received_at = lectern::clock::SystemClock.now();
    let arrival = Arrival {
        id: EventId::at(received_at),
        source: "default".to_owned(),
        received_at,
        verified_by: Some("current".to_owned()),
        content: Content {
            headers: Vec::new(),
            body: new_event("message.received", "a conversation").into(),
        },
    };
    let spool = Spool::open(&setup.data_dir().join("spool"), 1 << 20).await.unwrap();
    spool.append(vec![arrival]).await.unwrap();
    drop(spool);
    let written = setup.run(&["export", "--output", "lectern.ndjson"]).await;
    assert!(written.success && written.stderr.contains("1 events wait in the spool"), "{written:?}");

    // As it says: with the server started it is in the database.
    let lectern = setup.start().await;
    eventually("the event is stored", async || {
        (lectern.get("/api/v1/events").await.as_array()?.len() == 1).then_some(())
    })
    .await;
    assert!(lectern.stop().await.success());
    let written = setup.run(&["export", "--output", "again.ndjson"]).await;
    assert!(written.success && !written.stderr.contains("spool"), "{written:?}");
}

pub(crate) async fn everything_is_settled(lectern: &Lectern) {
    eventually("everything is mirrored and handled", async || {
        let waits = lectern.get("/api/v1/mirror").await["waiting"].as_u64()?;
        let open = lectern.get("/api/v1/deliveries?state=pending").await.as_array()?.len();
        (waits == 0 && open == 0).then_some(())
    })
    .await;
}
