//! What a person does about handlers and deliveries, over the API and by commands beside the running server.

use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::numbered_event;
use crate::support::lectern::{Lectern, Setup};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::sink::{Sink, plain};

/// Two handlers of kind `http` that give up at the first failure.
fn two_handlers(setup: Setup, crm: &Sink, audit: &Sink) -> Setup {
    let handler = |name: &str, sink: &Sink| {
        format!(
            "[[handlers]]\nname = \"{name}\"\nkind = \"http\"\nurl = \"{}\"\nretry = {{ max_attempts = 1 }}\n",
            sink.url
        )
    };
    setup.config(&(handler("crm", crm) + &handler("audit", audit)))
}

/// A sink that refuses so many calls, and takes all after them.
async fn refusing(calls: usize) -> Sink {
    let status = move |number| if number < calls { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Sink::answering(move |number, _| plain(status(number))).await
}

async fn post(lectern: &Lectern, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let body = numbered_event("message.sent", &format!("conversation-{number}"), &number.to_string());
        assert!(lectern.post(&body).await.status.is_success());
    }
}

async fn handler(lectern: &Lectern, name: &str) -> Value {
    lectern.get(&format!("/api/v1/handlers/{name}")).await
}

/// Waits until the handler has given up so many deliveries.
async fn given_up(lectern: &Lectern, number: usize) {
    eventually("they are given up", async || (handler(lectern, "crm").await["dead"] == number).then_some(()))
        .await;
}

on_both_stores! {
    async fn what_was_given_up_last_night_is_counted_and_then_replayed_by_a_command(setup) {
        let (crm, audit) = (refusing(6).await, Sink::start().await);
        let setup = two_handlers(setup, &crm, &audit);
        let lectern = setup.start().await;
        post(&lectern, 0..6).await;
        given_up(&lectern, 6).await;

        let filters = ["--handler", "crm", "--since", "12h"];
        let counted = setup.run(&[&["replay"], &filters[..], &["--dry-run"]].concat()).await;
        assert!(counted.success, "{counted:?}");
        assert_eq!(counted.stdout, "6 deliveries would be replayed.\n");
        let none = setup.run(&["replay", "--handler", "audit", "--since", "12h"]).await;
        assert_eq!(none.stdout, "No dead delivery matches: there is nothing to replay.\n");
        let replayed = setup.run(&[&["replay"], &filters[..], &["--rate", "1000"]].concat()).await;
        assert!(replayed.success, "{replayed:?}");
        assert!(replayed.stdout.ends_with("6 deliveries replayed: their handlers do them again.\n"), "{replayed:?}");
        eventually("they are done", async || (crm.calls().len() == 12).then_some(())).await;

        let listed = setup.run(&["replays", "--json"]).await;
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(listed, lectern.get("/api/v1/replays").await);
        assert_eq!((&listed[0]["state"], &listed[0]["replayed"]), (&json!("done"), &json!(6)));
        assert_eq!(listed[0]["createdBy"], "(command line)");
        assert_eq!(audit.calls().len(), 6, "nothing was done twice for the other");
    }

    async fn a_replay_goes_on_where_it_was_when_its_process_dies(setup) {
        let (crm, audit) = (refusing(8).await, Sink::start().await);
        let setup = two_handlers(setup, &crm, &audit);
        let lectern = setup.start().await;
        post(&lectern, 0..8).await;
        given_up(&lectern, 8).await;
        let begun = lectern.api(Method::POST, "/api/v1/replays?handler=crm&rate=2").await;
        assert_eq!(begun.status, StatusCode::ACCEPTED.as_u16());
        let path = format!("/api/v1/replays/{}", begun.json()["data"]["id"].as_str().unwrap());
        eventually("it is under way", async || (lectern.get(&path).await["replayed"].as_u64() >= Some(2)).then_some(())).await;
        assert_eq!(lectern.get(&path).await["state"], "running");
        lectern.kill().await;

        let lectern = setup.start().await;
        let ended = eventually("it is through", async || {
            let replay = lectern.get(&path).await;
            (replay["state"] == "done").then_some(replay)
        }).await;
        assert_eq!(ended["replayed"], 8);
        eventually("all is done", async || (handler(&lectern, "crm").await["backlog"] == 0).then_some(())).await;
        let again = lectern.get("/api/v1/deliveries?handler=crm&state=done").await;
        assert_eq!(again.as_array().unwrap().len(), 8);
        assert!(again.as_array().unwrap().iter().all(|delivery| delivery["attemptCount"] == 2), "each once: {again}");
    }

    async fn a_replay_that_nobody_watches_is_called_off_by_a_command(setup) {
        let (crm, audit) = (refusing(100).await, Sink::start().await);
        let setup = two_handlers(setup, &crm, &audit);
        let lectern = setup.start().await;
        post(&lectern, 0..5).await;
        given_up(&lectern, 5).await;
        let begun = lectern.api(Method::POST, "/api/v1/replays?handler=crm&rate=1").await.json();
        let id = begun["data"]["id"].as_str().unwrap();
        let cancelled = setup.run(&["replays", "cancel", id]).await;
        assert!(cancelled.success, "{cancelled:?}");
        assert!(cancelled.stdout.starts_with(&format!("The replay {id} is cancelled: ")), "{cancelled:?}");
        assert_eq!(lectern.get(&format!("/api/v1/replays/{id}")).await["state"], "cancelled");
        let listed = setup.run(&["replays"]).await;
        assert!(listed.stdout.contains("cancelled"), "{listed:?}");
    }

    async fn a_pause_outlives_the_server_and_costs_no_event(setup) {
        let (crm, audit) = (Sink::start().await, Sink::start().await);
        let setup = two_handlers(setup, &crm, &audit);
        let lectern = setup.start().await;
        let unknown = setup.run(&["handlers", "pause", "crn"]).await;
        assert!(!unknown.success && unknown.stderr.contains("did you mean `crm`?"), "{unknown:?}");
        let paused = setup.run(&["handlers", "pause", "crm"]).await;
        assert!(paused.success && paused.stdout.starts_with("The handler `crm` is paused since 20"), "{paused:?}");
        post(&lectern, 0..3).await;
        eventually("the other handler is called", async || (audit.calls().len() == 3).then_some(())).await;
        lectern.stop().await;

        let lectern = setup.start().await;
        post(&lectern, 3..4).await;
        eventually("the other handler is called", async || (audit.calls().len() == 4).then_some(())).await;
        let shown = handler(&lectern, "crm").await;
        assert_eq!((&shown["state"], &shown["backlog"]), (&json!("paused"), &json!(4)));
        assert!(crm.calls().is_empty());
        let listed = setup.run(&["handlers"]).await;
        assert!(listed.stdout.contains("crm      http  paused   4"), "{listed:?}");
        let resumed = setup.run(&["handlers", "resume", "crm"]).await;
        assert_eq!(
            resumed.stdout,
            "The handler `crm` is resumed: servers look for its work every `dispatch.poll_interval`.\n"
        );
        eventually("it is called", async || (crm.calls().len() == 4).then_some(())).await;
        assert_eq!(setup.run(&["handlers", "resume", "crm"]).await.stdout, "The handler `crm` was not paused.\n");
    }

    async fn one_delivery_is_replayed_or_called_done_by_a_command(setup) {
        let (crm, audit) = (refusing(2).await, Sink::start().await);
        let setup = two_handlers(setup, &crm, &audit);
        let lectern = setup.start().await;
        post(&lectern, 0..2).await;
        given_up(&lectern, 2).await;
        let dead = lectern.get("/api/v1/deliveries?state=dead").await;
        let [first, second] = [0, 1].map(|number| dead[number]["id"].as_str().unwrap());
        let resolved = setup.run(&["resolve", first, "--note", "told them"]).await;
        assert_eq!(resolved.stdout, format!("The delivery {first} is done.\n"), "{resolved:?}");
        let shown = lectern.get(&format!("/api/v1/deliveries/{first}")).await;
        assert_eq!((&shown["state"], &shown["note"]), (&json!("done"), &json!("told them")));
        let again = setup.run(&["resolve", first, "--note", "told them"]).await;
        assert!(!again.success && again.stderr.contains("is done: only a dead one is called done"), "{again:?}");

        let replayed = setup.run(&["replay", second]).await;
        assert!(replayed.success && replayed.stdout.contains("`crm` does it again"), "{replayed:?}");
        eventually("it is done", async || {
            (lectern.get(&format!("/api/v1/deliveries/{second}")).await["state"] == "done").then_some(())
        }).await;
        let unknown = setup.run(&["replay", "01a2027b-da68-7001-9a3c-4b1d5e76f0ab"]).await;
        assert!(!unknown.success && unknown.stderr.contains("there is no delivery"), "{unknown:?}");
    }

    async fn a_handler_tells_how_fast_it_is_and_that_it_fails_throughout(setup) {
        let (crm, audit) = (refusing(1000).await, Sink::start().await);
        let lectern = two_handlers(setup, &crm, &audit).start().await;
        post(&lectern, 0..40).await;
        eventually("the one is fast and the other fails", async || {
            let (crm, audit) = (handler(&lectern, "crm").await, handler(&lectern, "audit").await);
            let is_fast = audit["rates"]["done"].as_f64() > Some(0.4) && audit["state"] == "running";
            let fails = crm["rates"]["failed"].as_f64() > Some(0.2) && crm["state"] == "failing";
            (is_fast && fails).then_some(())
        }).await;
    }
}
