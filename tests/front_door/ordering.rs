//! What a handler says of order: what is given up, and what need not wait.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::Barrier;

use crate::events::numbered_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::{Call, Sink, plain, serve};

fn handler(setup: Setup, url: &str, more: &str) -> Setup {
    setup.config(&format!("[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{url}\"\n{more}"))
}

/// Given up at the second failure.
const TWO_TRIES: &str = r#"retry = { initial = "10ms", max_interval = "10ms", max_attempts = 2 }"#;

/// The event's uid and no more of it.
fn uid(call: &Call) -> String {
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    body["metadata"]["eventUid"].as_str().unwrap().to_owned()
}

fn uids(sink: &Sink) -> Vec<String> {
    sink.calls().iter().map(uid).collect()
}

/// A sink that refuses the event `poison` the first so many times.
async fn refusing(times: usize) -> Sink {
    let refused = std::sync::atomic::AtomicUsize::new(0);
    Sink::answering(move |_, call| {
        let is_refused =
            uid(call) == "event-poison" && refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < times;
        plain(if is_refused { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
    })
    .await
}

async fn send(lectern: &Lectern, conversation: &str, number: &str) {
    let answer = lectern.post(&numbered_event("message.received", conversation, number)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Waits until so many deliveries are in this state; returns them, the latest first.
async fn in_state(lectern: &Lectern, state: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/deliveries?limit=100&state={state}");
    eventually(&format!("{count} are {state}"), async || {
        let found = lectern.get(&path).await.as_array().unwrap().clone();
        (found.len() == count).then_some(found)
    })
    .await
}

on_both_stores! {
    async fn behind_a_dead_one_that_parks_its_conversation_the_later_ones_wait_for_a_person(setup) {
        let sink = refusing(2).await;
        let setup = handler(setup, &sink.url, &format!("on_dead = \"park\"\n{TWO_TRIES}"));
        let lectern = setup.start().await;
        for number in ["before", "poison", "after-1"] {
            send(&lectern, "parked", number).await;
        }
        let dead = in_state(&lectern, "dead", 1).await.remove(0);
        send(&lectern, "parked", "after-2").await;
        // Whatever could be done has been done by when others, who came later, have had their turn; twice, and over a
        // restart.
        send(&lectern, "other", "other-1").await;
        in_state(&lectern, "done", 2).await;
        lectern.stop().await;
        let lectern = setup.start().await;
        send(&lectern, "other", "other-2").await;
        in_state(&lectern, "done", 3).await;
        assert_eq!(uids(&sink), ["before", "poison", "poison", "other-1", "other-2"].map(|number| format!("event-{number}")));
        in_state(&lectern, "pending", 2).await;

        let replay = format!("/api/v1/deliveries/{}/replay", dead["id"].as_str().unwrap());
        assert!(lectern.api(Method::POST, &replay).await.status.is_success());
        in_state(&lectern, "done", 6).await;
        assert_eq!(uids(&sink)[5..], ["poison", "after-1", "after-2"].map(|number| format!("event-{number}")));
    }

    async fn behind_a_dead_one_a_conversation_goes_on_where_nothing_else_is_said(setup) {
        let sink = refusing(2).await;
        let lectern = handler(setup, &sink.url, TWO_TRIES).start().await;
        for number in ["before", "poison", "after-1", "after-2"] {
            send(&lectern, "c", number).await;
        }
        in_state(&lectern, "done", 3).await;
        in_state(&lectern, "dead", 1).await;
        let expected = ["before", "poison", "poison", "after-1", "after-2"];
        assert_eq!(uids(&sink), expected.map(|number| format!("event-{number}")));
    }

    async fn without_order_the_events_of_one_conversation_are_handled_side_by_side(setup) {
        // Nobody is answered before all of them are there.
        let all = Arc::new(Barrier::new(4));
        let sink = serve(Router::new().fallback(async move || { all.wait().await; })).await;
        let lectern = handler(setup, &sink, r#"ordering = "none""#).start().await;
        for number in 0..4 {
            send(&lectern, "c", &number.to_string()).await;
        }
        in_state(&lectern, "done", 4).await;
    }

    async fn without_order_none_waits_for_one_that_fails(setup) {
        let sink = refusing(usize::MAX).await;
        let later = r#"retry = { initial = "1h", max_interval = "1h" }"#;
        let lectern = handler(setup, &sink.url, &format!("ordering = \"none\"\n{later}")).start().await;
        for number in ["poison", "1", "2", "3"] {
            send(&lectern, "c", number).await;
        }
        in_state(&lectern, "done", 3).await;
        in_state(&lectern, "pending", 1).await;
    }
}
