//! The database goes away, for a while or before Lectern is there, and whoever sends notices nothing.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::crash::{burst_until, burst_until_killed, deliveries_are_done};
use crate::events::{new_event, numbered_event};
use crate::support::lectern::{Answer, Lectern, SECRET, Setup, now_in_milliseconds};
use crate::support::patience::{eventually, within};
use crate::support::postgres_server::PostgresServer;
use crate::support::sink::Sink;

/// A Lectern whose database can be taken away. What was cut off in the middle of a claim belongs to nobody until the
/// lease ends, so that is short.
fn setup(server: &PostgresServer) -> Setup {
    Setup::sqlite().env("DATABASE_URL", &server.url()).env("LECTERN__DISPATCH__LEASE", "1s")
}

fn to_sink(setup: Setup, sink: &Sink) -> Setup {
    setup.config(&format!("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"", sink.url))
}

async fn ready(lectern: &Lectern) -> Value {
    lectern.get("/readyz").await
}

async fn spool_is_empty(lectern: &Lectern) {
    eventually("the spool is empty", async || (ready(lectern).await["spool"]["events"] == 0).then_some(()))
        .await;
}

/// All events of the ledger by their uid.
async fn stored(lectern: &Lectern) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    let mut path = "/api/v1/events?limit=100".to_owned();
    loop {
        let page = lectern.api(Method::GET, &path).await.json();
        for event in page["data"].as_array().unwrap() {
            *found.entry(event["eventUid"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["metadata"]["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/events?cursor={cursor}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn an_outage_is_not_noticed_and_everything_is_there_afterwards_once_and_in_order() {
    let (server, sink) = (PostgresServer::start().await, Sink::start().await);
    let lectern = to_sink(setup(&server), &sink).start().await;
    let event = |number: usize| numbered_event("message.received", "c", &number.to_string());
    assert_eq!(lectern.post(&event(0)).await.json()["data"]["status"], "accepted");
    assert_eq!(ready(&lectern).await["status"], "ready");

    server.stop().await;
    for number in 1..6 {
        let asked = Instant::now();
        let answer = lectern.post(&event(number)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["data"]["status"]), (200, &json!("spooled")));
        assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
    }
    // Podium tries again what it got no answer for.
    assert_eq!(lectern.post(&event(0)).await.status, 200);
    assert_eq!(lectern.post(&event(3)).await.status, 200);
    let waiting = ready(&lectern).await;
    assert_eq!((&waiting["status"], &waiting["spool"]["events"]), (&json!("spooling"), &json!(7)));
    assert!(waiting["spool"]["oldestAgeSeconds"].is_u64() && waiting["spool"]["bytes"].as_u64() > Some(1000));
    let metrics = lectern.metrics().await;
    assert!(metrics.contains("\nlectern_spool_events 7\n"), "{metrics}");
    assert!(metrics.contains("lectern_commit_batch_events_count{to=\"spool\"} 7\n"), "{metrics}");
    let outside = Answer::of(lectern.http.get(format!("{}/readyz", lectern.public))).await;
    assert_eq!((outside.status.as_u16(), outside.json()), (200, json!({ "data": { "status": "ready" } })));

    server.start_again().await;
    spool_is_empty(&lectern).await;
    assert_eq!(lectern.post(&event(6)).await.json()["data"]["status"], "accepted");
    let expected: HashMap<_, _> = (0..7).map(|number| (format!("event-{number}"), 1)).collect();
    assert_eq!(stored(&lectern).await, expected);
    deliveries_are_done(&lectern).await;
    assert_eq!(order(&sink)["c"], (0..7).collect::<Vec<_>>());
    assert!(lectern.log().contains("the spool is empty again"), "the log tells of it");
}

/// The numbers of the events that reached the sink, by conversation, each at its first coming.
fn order(sink: &Sink) -> HashMap<String, Vec<usize>> {
    let mut order: HashMap<String, Vec<usize>> = HashMap::new();
    for call in sink.calls() {
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        let conversation = body["data"]["conversation"]["uid"].as_str().unwrap().to_owned();
        let number =
            body["metadata"]["eventUid"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
        let numbers = order.entry(conversation).or_default();
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    order
}

#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for() {
    let server = PostgresServer::start().await;
    let lectern = setup(&server).start().await;
    let event = |number: usize| numbered_event("message.received", "c", &number.to_string());
    assert_eq!(lectern.post(&event(0)).await.json()["data"]["status"], "accepted");
    server.freeze();
    for number in 1..4 {
        let asked = Instant::now();
        let answer = lectern.post(&event(number)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["data"]["status"]), (200, &json!("spooled")));
        assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    }
    server.thaw();
    spool_is_empty(&lectern).await;
    let expected: HashMap<_, _> = (0..4).map(|number| (format!("event-{number}"), 1)).collect();
    assert_eq!(stored(&lectern).await, expected);
}

#[tokio::test]
async fn a_running_server_takes_over_what_another_one_left() {
    let server = PostgresServer::start().await;
    server.stop().await;
    let setup = setup(&server);
    let (first, second) = (setup.start().await, setup.start().await);
    let left = second.post(&new_event("message.received", "c")).await.json()["data"]["id"].clone();
    second.kill().await;
    eventually("it is taken over", async || (ready(&first).await["spool"]["events"] == 1).then_some(()))
        .await;
    server.start_again().await;
    spool_is_empty(&first).await;
    assert_eq!(first.get("/api/v1/events").await[0]["id"], left);
}

#[tokio::test]
async fn a_stop_under_load_with_the_database_away_loses_nothing() {
    let server = PostgresServer::start().await;
    let setup = setup(&server);
    let lectern = setup.start().await;
    server.stop().await;
    let acknowledged = burst_until(lectern, 0, Lectern::terminate_now).await;
    let lectern = setup.start().await;
    server.start_again().await;
    spool_is_empty(&lectern).await;
    for id in &acknowledged {
        assert_eq!(lectern.get(&format!("/api/v1/events/{id}")).await["id"], id.as_str());
    }
    assert!(stored(&lectern).await.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_start_without_the_database_receives_all_the_same() {
    let server = PostgresServer::start().await;
    server.stop().await;
    let setup = setup(&server);
    let lectern = setup.start().await;
    let first = lectern.post(&new_event("message.received", "c")).await;
    assert_eq!((first.status.as_u16(), &first.json()["data"]["status"]), (200, &json!("spooled")));
    assert_eq!(lectern.api(Method::GET, "/api/v1/events").await.status, 503);
    assert!(lectern.log().contains("the database is away"));
    // A stop is no reason to lose it either.
    assert!(lectern.stop().await.success());

    let lectern = setup.start().await;
    server.start_again().await;
    spool_is_empty(&lectern).await;
    assert_eq!(lectern.get("/api/v1/events").await[0]["id"], first.json()["data"]["id"]);
    deliveries_are_done(&lectern).await;
    let next = lectern.post(&new_event("message.received", "c")).await;
    assert_eq!(next.json()["data"]["status"], "accepted");
}

#[tokio::test]
async fn what_is_in_the_spool_survives_twenty_kills_under_load() {
    let server = PostgresServer::start().await;
    server.stop().await;
    let setup = setup(&server);
    let mut acknowledged = Vec::new();
    for round in 0..20 {
        acknowledged.extend(burst_until_killed(setup.start().await, round).await);
    }
    assert!(acknowledged.len() > 400, "twenty bursts are more than {} events", acknowledged.len());

    let lectern = setup.start().await;
    server.start_again().await;
    spool_is_empty(&lectern).await;
    for id in &acknowledged {
        assert_eq!(lectern.get(&format!("/api/v1/events/{id}")).await["id"], id.as_str());
    }
    assert!(stored(&lectern).await.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_full_spool_is_answered_503_until_there_is_room_again() {
    let server = PostgresServer::start().await;
    let lectern = setup(&server).env("LECTERN__SPOOL__MAX_BYTES", "1MiB").start().await;
    server.stop().await;
    let large = |number: u32| format!("{{\"data\":\"{number}{}\"}}", " ".repeat(300_000)).into_bytes();
    for number in 0..3 {
        assert_eq!(lectern.post(&large(number)).await.status, 200);
    }
    let asked = Instant::now();
    let refused = lectern.post(&large(3)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "store_unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    let inside = lectern.api(Method::GET, "/readyz").await;
    assert_eq!((inside.status.as_u16(), &inside.json()["data"]["spool"]["events"]), (503, &json!(3)));
    // There is still room for what is smaller.
    assert_eq!(lectern.post(&new_event("message.received", "c")).await.status, 200);
    let alive = Answer::of(lectern.http.get(format!("{}/healthz", lectern.public))).await;
    assert_eq!(alive.status.as_u16(), 200);

    server.start_again().await;
    eventually("there is room again", async || (lectern.post(&large(3)).await.status == 200).then_some(()))
        .await;
    spool_is_empty(&lectern).await;
    assert_eq!(lectern.get("/api/v1/events").await.as_array().unwrap().len(), 5);
}

/// What came of the events of one conversation, sent one after another.
struct Sent {
    answered: usize,
    slowest: Duration,
}

/// Sends the events of a conversation one after another, five a second, as Podium does: the next once the one before was
/// answered.
async fn converse(lectern: &Lectern, conversation: usize, until: Instant) -> Sent {
    let mut sent = Sent { answered: 0, slowest: Duration::ZERO };
    let mut turns = interval(Duration::from_millis(200));
    while Instant::now() < until {
        turns.tick().await;
        let number = format!("{conversation}-{}", sent.answered);
        let body = numbered_event("message.received", &format!("c{conversation}"), &number);
        let asked = Instant::now();
        let answer =
            Answer::of(lectern.signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body)).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
        sent.slowest = sent.slowest.max(asked.elapsed());
        sent.answered += 1;
    }
    sent
}

#[tokio::test]
async fn a_minute_without_the_database_under_500_events_a_second_loses_nothing() {
    const CONVERSATIONS: usize = 100;
    let (server, sink) = (PostgresServer::start().await, Sink::start().await);
    let lectern = to_sink(setup(&server), &sink).start().await;
    let until = Instant::now() + Duration::from_secs(70);
    let conversations = (0..CONVERSATIONS).map(|conversation| converse(&lectern, conversation, until));
    let outage = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        server.stop().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        server.start_again().await;
    };
    let (sent, ()) = tokio::join!(futures_util::future::join_all(conversations), outage);
    let (events, slowest) = (
        sent.iter().map(|sent| sent.answered).sum::<usize>(),
        sent.iter().map(|sent| sent.slowest).max().unwrap(),
    );
    assert!(slowest < Duration::from_secs(5), "an answer took {slowest:?}");
    // A slow machine sends fewer than 500 a second; far fewer would be no load.
    assert!(events > CONVERSATIONS * 5 * 20, "only {events} events were sent");

    spool_is_empty(&lectern).await;
    let stored = stored(&lectern).await;
    assert_eq!((stored.len(), stored.values().max()), (events, Some(&1)));
    within(Duration::from_secs(180), "everything is delivered", async || {
        (sink.calls().len() >= events).then_some(())
    })
    .await;
    deliveries_are_done(&lectern).await;
    let order = order(&sink);
    for (conversation, sent) in sent.iter().enumerate() {
        let expected: Vec<_> = (0..sent.answered).collect();
        assert_eq!(order[&format!("c{conversation}")], expected, "conversation {conversation} is in order");
    }
}
