//! What survives when the program goes away without a word.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::events::{new_event, numbered_event};
use crate::support::lectern::{Lectern, SECRET, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::Sink;

on_both_stores! {
    async fn what_was_answered_200_survives_twenty_kills_under_load_and_is_delivered(setup) {
        let sink = Sink::start().await;
        let setup = setup.config(&format!(r#"
            [dispatch]
            lease = "1s"
            [[handlers]]
            name = "crm"
            kind = "http"
            url = "{}"
        "#, sink.url));
        let mut acknowledged = HashSet::new();
        for round in 0..20 {
            let lectern = setup.start().await;
            acknowledged.extend(burst_until_killed(lectern, round).await);
        }
        assert!(acknowledged.len() > 400, "a burst is more than {} events", acknowledged.len());

        let lectern = setup.start().await;
        deliveries_are_done(&lectern).await;
        for id in &acknowledged {
            assert_eq!(lectern.get(&format!("/api/v1/events/{id}")).await["id"], id.as_str());
        }
        let delivered: HashSet<String> = sink.calls().iter().map(|call| call.headers["webhook-id"].to_str().unwrap().to_owned()).collect();
        let lost: Vec<_> = acknowledged.difference(&delivered).collect();
        assert!(lost.is_empty(), "acknowledged and not delivered: {lost:?}");
        assert_each_conversation_is_in_order(&sink);
    }
}

/// What one sender sent, over all bursts, reached the sink in the order in which it was sent, each at its first coming.
fn assert_each_conversation_is_in_order(sink: &Sink) {
    let mut order: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    for call in sink.calls() {
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        let uid = body["metadata"]["eventUid"].as_str().unwrap().to_owned();
        let numbers: Vec<usize> = uid.split('-').skip(1).map(|number| number.parse().unwrap()).collect();
        let [round, sender, number] = numbers[..] else { unreachable!("{uid} is an event of a burst") };
        let order = order.entry(sender).or_default();
        if !order.contains(&(round, number)) {
            order.push((round, number));
        }
    }
    for (sender, order) in order {
        assert!(order.is_sorted(), "the conversation of {sender} came as {order:?}");
    }
}

/// Waits until no delivery is open.
pub(crate) async fn deliveries_are_done(lectern: &Lectern) {
    eventually("nothing is open", async || {
        lectern.get("/api/v1/deliveries?state=pending").await.as_array().unwrap().is_empty().then_some(())
    })
    .await;
}

/// Sends events from many sides, kills the server in the middle; returns the ids of those it acknowledged.
pub(crate) async fn burst_until_killed(lectern: Lectern, round: usize) -> Vec<String> {
    burst_until(lectern, round, Lectern::kill_now).await
}

/// The same, with another end. Each conversation has one sender.
pub(crate) async fn burst_until(lectern: Lectern, round: usize, end: fn(&Lectern)) -> Vec<String> {
    let (stopped, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let senders = (0..16).map(|sender| {
        let (lectern, stopped, answered) = (&lectern, &stopped, &answered);
        async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let number = format!("{round}-{sender}-{number}");
                let body = numbered_event("message.sent", &format!("c{sender}"), &number);
                let request = lectern.signed("/webhooks/podium", SECRET, &now_in_milliseconds(), &body);
                let Ok(response) = request.send().await else { break };
                if response.status() != 200 {
                    continue;
                }
                let Ok(body) = response.bytes().await else { break };
                let Ok(body) = serde_json::from_slice::<Value>(&body) else { break };
                acknowledged.push(body["data"]["id"].as_str().expect("an id").to_owned());
                answered.fetch_add(1, Ordering::SeqCst);
            }
            acknowledged
        }
    });
    let senders = futures_util::future::join_all(senders);
    let kill = async {
        eventually("a burst is under way", async || (answered.load(Ordering::SeqCst) > 40).then_some(()))
            .await;
        end(&lectern);
        stopped.store(true, Ordering::SeqCst);
    };
    let (acknowledged, ()) = tokio::join!(senders, kill);
    acknowledged.into_iter().flatten().collect()
}

#[tokio::test]
async fn on_sqlite_a_killed_server_leaves_nothing_leased() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("first");
    // With the default lease of 30 seconds.
    let setup = Setup::sqlite().config(&format!(
        r#"
        [[handlers]]
        name = "slow-once"
        kind = "command"
        command = ["sh", "-c", "mkdir '{}' && sleep 20"]
        retry = {{ initial = "10ms", max_interval = "10ms" }}
        "#,
        marker.display(),
    ));
    let first = setup.start().await;
    first.post(&new_event("message.received", "c")).await;
    eventually("the first is at it", async || marker.exists().then_some(())).await;
    first.kill().await;
    let second = setup.start().await;
    let asked = tokio::time::Instant::now();
    eventually("the second is at it", async || {
        (second.get("/api/v1/deliveries").await[0]["attemptCount"] != 0).then_some(())
    })
    .await;
    assert!(asked.elapsed() < Duration::from_secs(15), "it waited for {:?}", asked.elapsed());
}

#[tokio::test]
async fn another_process_takes_over_what_a_killed_one_held() {
    let sink = Sink::answering(|_, _| crate::support::sink::plain(axum::http::StatusCode::OK)).await;
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("first");
    let setup = Setup::postgres().await.config(&format!(
        r#"
        [dispatch]
        lease = "1s"
        [[handlers]]
        name = "slow-once"
        kind = "command"
        command = ["sh", "-c", "mkdir '{}' && sleep 1000 || curl -s {}"]
        "#,
        marker.display(),
        sink.url
    ));
    // The second process waits beside the first from the start.
    let first = setup.start().await;
    let event = first.post(&new_event("message.received", "c")).await.json();
    eventually("the first process is at it", async || marker.exists().then_some(())).await;
    let second = setup.start().await;
    first.kill().await;
    let path = format!("/api/v1/events/{}/deliveries", event["data"]["id"].as_str().unwrap());
    eventually("the second process did it", async || {
        (second.get(&path).await[0]["state"] == "done").then_some(())
    })
    .await;
}
