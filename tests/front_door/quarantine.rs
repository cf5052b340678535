//! What becomes of requests that fail verification, and how nothing is lost to a wrong secret.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::events::{new_event, numbered_event};
use crate::support::lectern::{Answer, Lectern, SECRET, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;
use crate::support::postgres_server::PostgresServer;
use crate::support::sink::Sink;

/// What Podium signs with while Lectern was told something else.
const RIGHT_SECRET: &str = "the-secret-that-podium-has";

const HOLD: &str = "[sources.default]\non_unverified = \"hold\"\n";

/// Posts a body as Podium does that has the right secret.
async fn post(lectern: &Lectern, body: &[u8]) -> Answer {
    Answer::of(lectern.signed("/webhooks/podium", RIGHT_SECRET, &now_in_milliseconds(), body)).await
}

async fn quarantined(lectern: &Lectern) -> Vec<Value> {
    lectern.get("/api/v1/quarantine?limit=100").await.as_array().unwrap().clone()
}

async fn release(lectern: &Lectern) -> Value {
    let answer = lectern.api(Method::POST, "/api/v1/quarantine/release").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    answer.json()["data"].clone()
}

/// How many events there are.
async fn count_events(lectern: &Lectern) -> usize {
    let mut path = "/api/v1/events?limit=100".to_owned();
    let mut count = 0;
    loop {
        let page = lectern.api(Method::GET, &path).await.json();
        count += page["data"].as_array().unwrap().len();
        let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { return count };
        path = format!("/api/v1/events?cursor={cursor}");
    }
}

on_both_stores! {
    async fn a_rejected_request_is_kept_byte_for_byte_without_credentials_and_stays_out_of_the_log(setup) {
        let lectern = setup.start().await;
        let body = b"{\"data\":\"a-private-text\", \"n\": 1.0 }\r\n";
        let request = lectern.signed("/webhooks/podium", RIGHT_SECRET, &now_in_milliseconds(), body);
        let answer = Answer::of(request.header("authorization", "Bearer hunter2").header("x-proxy", "seen")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "signature_mismatch"));

        let kept = eventually("it is kept", async || quarantined(&lectern).await.pop()).await;
        assert_eq!(
            (&kept["source"], &kept["reason"], &kept["held"], &kept["size"]),
            (&json!("default"), &json!("signature_mismatch"), &json!(false), &json!(body.len()))
        );
        let path = format!("/api/v1/quarantine/{}", kept["id"].as_str().unwrap());
        let whole = lectern.get(&path).await;
        assert_eq!(whole["body"], std::str::from_utf8(body).unwrap());
        let headers = whole["headers"].to_string();
        assert!(headers.contains("podium-signature") && headers.contains("x-proxy"), "{headers}");
        assert!(!headers.contains("hunter2"), "{headers}");
        assert_eq!(lectern.api(Method::GET, &format!("{path}/body")).await.bytes, body);
        assert_eq!(lectern.get("/api/v1/events").await, json!([]));
        for secret in ["a-private-text", "hunter2", RIGHT_SECRET, SECRET] {
            assert!(!lectern.log().contains(secret), "{}", lectern.log());
        }

        assert_eq!(lectern.api(Method::DELETE, &path).await.json()["data"], json!({ "deleted": 1 }));
        assert_eq!(quarantined(&lectern).await, Vec::<Value>::new());
    }

    async fn what_was_not_even_for_a_source_is_not_kept(setup) {
        let lectern = setup.start().await;
        let unknown = lectern.signed("/webhooks/podium/nobody", SECRET, &now_in_milliseconds(), b"{}");
        assert_eq!(Answer::of(unknown).await.code(), "unknown_source");
        assert_eq!(lectern.post(&vec![b' '; 1024 * 1024 + 1]).await.code(), "body_too_large");
        // What comes after them is kept after them.
        post(&lectern, b"{}").await;
        let kept = eventually("it is kept", async || Some(quarantined(&lectern).await).filter(|kept| !kept.is_empty())).await;
        assert_eq!(kept.len(), 1);
    }

    async fn what_is_to_be_held_is_durable_when_it_is_answered_200(setup) {
        let setup = setup.config(HOLD);
        let lectern = setup.start().await;
        let now = now_in_milliseconds();
        let shifted = |days: i64| (now.parse::<i64>().unwrap() + days * 24 * 3600 * 1000).to_string();
        let mut ids = Vec::new();
        for (reason, secret, timestamp) in [
            ("signature_mismatch", RIGHT_SECRET, now.clone()),
            ("timestamp_too_old", SECRET, shifted(-12)),
            ("timestamp_in_future", SECRET, shifted(1)),
        ] {
            let request = lectern.signed("/webhooks/podium", secret, &timestamp, b"{}");
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, StatusCode::OK, "{reason}");
            let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
            assert_eq!(answer.json(), json!({ "data": { "id": id, "status": "held" } }));
            ids.push((id, reason));
        }
        lectern.kill().await;
        let lectern = setup.start().await;
        for (id, reason) in ids {
            let kept = lectern.get(&format!("/api/v1/quarantine/{id}")).await;
            assert_eq!((&kept["reason"], &kept["held"]), (&json!(reason), &json!(true)));
        }
        assert_eq!(count_events(&lectern).await, 0);
        // What is signed as it should be is an event, as everywhere.
        assert_eq!(lectern.post(b"{}").await.json()["data"]["status"], "accepted");
    }

    async fn what_no_wrong_secret_explains_is_rejected_where_requests_are_held_too(setup) {
        let lectern = setup.config(HOLD).start().await;
        let now = now_in_milliseconds();
        let url = format!("{}/webhooks/podium", lectern.public);
        let bare = || lectern.http.post(&url).body("{}");
        for (reason, request) in [
            ("signature_missing", bare().header("podium-timestamp", &now)),
            ("signature_malformed", bare().header("podium-timestamp", &now).header("podium-signature", "sha256=abc")),
            ("timestamp_missing", bare().header("podium-signature", "0".repeat(64))),
            ("timestamp_malformed", lectern.signed("/webhooks/podium", SECRET, "yesterday", b"{}")),
        ] {
            let answer = Answer::of(request).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, reason));
        }
        let kept = eventually("they are kept", async || {
            Some(quarantined(&lectern).await).filter(|kept| kept.len() == 4)
        }).await;
        assert!(kept.iter().all(|request| request["held"] == false), "{kept:?}");
    }

    async fn a_source_that_is_flooded_leaves_room_for_what_others_hold(setup) {
        let north = "[sources.north]\nsecret = \"of-the-north\"\non_unverified = \"hold\"\n";
        let lectern = setup.config(&format!("[quarantine]\nmax_requests = 20\n{HOLD}{north}")).start().await;
        let mut statuses = Vec::new();
        for _ in 0..15 {
            statuses.push(post(&lectern, b"{}").await.status);
        }
        assert_eq!(statuses, [[StatusCode::OK; 10].as_slice(), &[StatusCode::UNAUTHORIZED; 5]].concat());
        // At once, and not only when it is looked for room again.
        let other = lectern.signed("/webhooks/podium/north", RIGHT_SECRET, &now_in_milliseconds(), b"{}");
        assert_eq!(Answer::of(other).await.json()["data"]["status"], "held");
    }

    async fn after_a_night_with_a_wrong_secret_a_release_makes_the_events_in_order(setup) {
        let sink = Sink::start().await;
        let setup = setup.config(&format!(
            "{HOLD}[sources.north]\nsecret = \"of-the-north\"\n[[handlers]]\nname = \"crm\"\nkind = \"http\"\nurl = \"{}\"",
            sink.url
        ));
        let lectern = setup.start().await;
        for number in 0..40 {
            let body = numbered_event("message.received", "conversation", &format!("{number:02}"));
            assert_eq!(post(&lectern, &body).await.json()["data"]["status"], "held");
        }
        // Podium sent one of them twice, somebody else forged one, and another source rejected one.
        post(&lectern, &numbered_event("message.received", "conversation", "07")).await;
        Answer::of(lectern.signed("/webhooks/podium", "forged", &now_in_milliseconds(), &new_event("message.sent", "x"))).await;
        Answer::of(lectern.signed("/webhooks/podium/north", "forged", &now_in_milliseconds(), b"{}")).await;
        eventually("all are kept", async || (quarantined(&lectern).await.len() == 43).then_some(())).await;
        // Nothing to be released yet.
        let count = release(&lectern).await;
        assert_eq!(count, json!({ "examined": 43, "released": 0, "duplicates": 0, "stillUnverified": 43, "complete": true }));
        assert!(lectern.stop().await.success());

        let lectern = setup.env("PODIUM_WEBHOOK_SECRET", RIGHT_SECRET).start().await;
        // One of them came again by itself.
        assert_eq!(post(&lectern, &numbered_event("message.received", "conversation", "00")).await.json()["data"]["status"], "accepted");
        let released_at = now_in_milliseconds().parse::<i64>().unwrap();
        let narrowed = lectern.api(Method::POST, "/api/v1/quarantine/release?source=north").await.json();
        assert_eq!(narrowed["data"]["examined"], 1);
        let count = release(&lectern).await;
        assert_eq!(count, json!({ "examined": 43, "released": 39, "duplicates": 2, "stillUnverified": 2, "complete": true }));
        eventually("all are delivered", async || (sink.calls().len() == 40).then_some(())).await;
        let uids: Vec<String> = sink.calls().iter().map(|call| {
            serde_json::from_slice::<Value>(&call.body).unwrap()["metadata"]["eventUid"].as_str().unwrap().to_owned()
        }).collect();
        assert_eq!(uids, (0..40).map(|number| format!("event-{number:02}")).collect::<Vec<_>>());

        let event = lectern.get("/api/v1/events?limit=1").await[0].clone();
        let received_at: jiff::Timestamp = event["receivedAt"].as_str().unwrap().parse().unwrap();
        assert!(received_at.as_millisecond() >= released_at, "an event counts from its release");
        assert_eq!(quarantined(&lectern).await.len(), 2);
        let count = release(&lectern).await;
        assert_eq!(count, json!({ "examined": 2, "released": 0, "duplicates": 0, "stillUnverified": 2, "complete": true }));
        for secret in [RIGHT_SECRET, SECRET, "of-the-north"] {
            assert!(!lectern.log().contains(secret), "{}", lectern.log());
        }
    }

    async fn several_releases_at_once_release_each_request_once_and_in_order(setup) {
        let setup = setup.config(HOLD);
        let lectern = setup.start().await;
        for number in 0..60 {
            post(&lectern, &numbered_event("message.received", "conversation", &format!("{number:02}"))).await;
        }
        lectern.stop().await;
        let lectern = setup.env("PODIUM_WEBHOOK_SECRET", RIGHT_SECRET).start().await;
        let counts = join_all((0..4).map(|_| release(&lectern))).await;
        let released: i64 = counts.iter().map(|count| count["released"].as_i64().unwrap()).sum();
        assert_eq!(released, 60, "{counts:?}");
        assert_eq!(quarantined(&lectern).await.len(), 0);
        let mut uids: Vec<_> = lectern.get("/api/v1/events?limit=100").await.as_array().unwrap().iter()
            .map(|event| event["eventUid"].as_str().unwrap().to_owned()).collect();
        uids.reverse();
        assert_eq!(uids, (0..60).map(|number| format!("event-{number:02}")).collect::<Vec<_>>());
    }

    async fn a_release_that_was_cut_off_is_finished_by_the_next(setup) {
        let setup = setup.config(HOLD);
        let lectern = setup.start().await;
        for number in 0..100 {
            post(&lectern, &numbered_event("message.received", "conversation", &format!("{number:02}"))).await;
        }
        lectern.stop().await;
        let setup = setup.env("PODIUM_WEBHOOK_SECRET", RIGHT_SECRET);
        let lectern = setup.start().await;
        let released = lectern.http.post(format!("{}/api/v1/quarantine/release", lectern.internal)).bearer_auth(crate::support::lectern::TOKEN).send();
        let cut_off = async {
            eventually("some are released", async || (count_events(&lectern).await > 0).then_some(())).await;
            lectern.kill().await;
        };
        let (_, ()) = tokio::join!(released, cut_off);

        let lectern = setup.start().await;
        let (before, left) = (count_events(&lectern).await, quarantined(&lectern).await.len());
        let count = release(&lectern).await;
        assert_eq!((&count["examined"], &count["stillUnverified"]), (&json!(left), &json!(0)));
        assert_eq!(count["released"], 100 - before);
        assert_eq!(count_events(&lectern).await, 100);
        assert_eq!(quarantined(&lectern).await.len(), 0);
    }

    async fn a_busy_stream_is_held_until_there_is_no_room_and_then_rejected(setup) {
        // The rate is for what is rejected.
        let lectern = setup.config(&format!("[quarantine]\nmax_requests = 80\nmax_per_minute = 1\n{HOLD}")).start().await;
        let sent = join_all((0..100).map(|number| {
            let body = numbered_event("message.received", "conversation", &number.to_string());
            let lectern = &lectern;
            async move { post(lectern, &body).await.status }
        })).await;
        assert_eq!(sent.iter().filter(|status| **status == StatusCode::OK).count(), 80);
        assert_eq!(sent.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count(), 20);
        assert_eq!(quarantined(&lectern).await.len(), 80);

        assert_eq!(lectern.api(Method::DELETE, "/api/v1/quarantine").await.json()["data"], json!({ "deleted": 80 }));
        eventually("there is room again", async || (post(&lectern, b"{}").await.status == StatusCode::OK).then_some(())).await;
        assert_eq!(quarantined(&lectern).await.len(), 1);
    }

    async fn a_quarantine_that_keeps_nothing_rejects_what_would_be_held(setup) {
        let lectern = setup.config(&format!("[quarantine]\nmax_requests = 0\n{HOLD}")).start().await;
        assert_eq!(post(&lectern, b"{}").await.code(), "signature_mismatch");
        assert_eq!(quarantined(&lectern).await.len(), 0);
    }

    async fn a_flood_of_forged_requests_is_bounded_and_harms_no_event(setup) {
        let lectern = setup.config(r#"
            [quarantine]
            max_requests = 90
            max_bytes = "2MiB"
            max_per_minute = 100000
            [sources.held]
            secret = "of-the-held"
            on_unverified = "hold"
        "#).start().await;
        let (forged, good) = (3000, 200);
        let flood = join_all((0..16).map(|sender| {
            let lectern = &lectern;
            async move {
                let path = if sender % 4 == 0 { "/webhooks/podium/held" } else { "/webhooks/podium" };
                for number in 0..forged / 16 {
                    // Half of them 300 MB together, the others with a signature that must be looked at.
                    let request = lectern.http.post(format!("{}{path}", lectern.public)).header("podium-timestamp", now_in_milliseconds());
                    let request = if number % 2 == 0 {
                        request.body(vec![b'x'; 200_000])
                    } else {
                        request.header("podium-signature", "0".repeat(64)).body(vec![b'x'; 1000])
                    };
                    let status = Answer::of(request).await.status;
                    // Held, or rejected; never anything else.
                    assert!(matches!(status.as_u16(), 200 | 401), "{status}");
                }
            }
        }));
        let events = async {
            let mut slowest = Duration::ZERO;
            for number in 0..good {
                let asked = Instant::now();
                let body = numbered_event("message.received", &format!("c{}", number % 5), &number.to_string());
                let answer = lectern.post(&body).await;
                assert_eq!(answer.json()["data"]["status"], "accepted");
                slowest = slowest.max(asked.elapsed());
            }
            slowest
        };
        let (_, slowest) = tokio::join!(flood, events);
        // On a busy machine and without optimisation: Podium would have waited for 5.
        assert!(slowest < Duration::from_secs(3), "the slowest answer took {slowest:?}");
        let memory = lectern.resident_bytes();
        assert!(memory < 150 << 20, "{} MiB of memory", memory >> 20);

        assert_eq!(count_events(&lectern).await, good);
        let kept = quarantined(&lectern).await;
        assert!((1..=90).contains(&kept.len()), "{} rows", kept.len());
        let bytes: u64 = kept.iter().map(|request| request["size"].as_u64().unwrap()).sum();
        assert!(bytes <= 2 << 20, "{bytes} bytes");
    }
}

#[tokio::test]
async fn while_the_database_is_away_what_should_be_held_is_503_in_time_and_then_held() {
    let server = PostgresServer::start().await;
    let setup = Setup::sqlite().env("DATABASE_URL", &server.url()).config(HOLD);
    let lectern = setup.start().await;
    assert_eq!(post(&lectern, b"1").await.status, StatusCode::OK);

    server.stop().await;
    let asked = Instant::now();
    let answers = join_all((0..8).map(|_| post(&lectern, b"2"))).await;
    assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "store_unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }

    server.start_again().await;
    eventually("requests are held again", async || {
        (post(&lectern, b"3").await.status == StatusCode::OK).then_some(())
    })
    .await;
    let bodies: Vec<_> = join_all(quarantined(&lectern).await.iter().map(|kept| {
        let path = format!("/api/v1/quarantine/{}", kept["id"].as_str().unwrap());
        let lectern = &lectern;
        async move { lectern.get(&path).await["body"].as_str().unwrap().to_owned() }
    }))
    .await;
    assert!(bodies.contains(&"1".to_owned()) && bodies.contains(&"3".to_owned()), "{bodies:?}");
}

/// As docs/webhooks.md has it, with nothing but the command line.
#[tokio::test]
async fn what_was_held_is_let_in_and_what_is_left_deleted_by_commands() {
    let setup = Setup::sqlite().config(HOLD);
    let lectern = setup.start().await;
    let of_podium = new_event("message.received", "a conversation");
    assert_eq!(post(&lectern, &of_podium).await.json()["data"]["status"], "held");
    let forged = lectern.signed("/webhooks/podium", "forged", &now_in_milliseconds(), b"{}");
    assert_eq!(Answer::of(forged).await.json()["data"]["status"], "held");
    assert!(lectern.stop().await.success());

    let setup = setup.env("PODIUM_WEBHOOK_SECRET", RIGHT_SECRET);
    let lectern = setup.start().await;
    let run = async |arguments: &[&str]| {
        let ended = setup.run(&[&["quarantine"], arguments, &["--url", &lectern.internal]].concat()).await;
        assert!(ended.success, "{arguments:?}: {ended:?}");
        ended.stdout
    };
    let all: Value = serde_json::from_str(&run(&["--json", "source=default"]).await).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(run(&[]).await.starts_with("RECEIVED"));
    let released = run(&["release"]).await;
    assert!(
        released.starts_with("1 became events, 0 were events already, 1 failed again and stay"),
        "{released}"
    );
    assert_eq!(count_events(&lectern).await, 1);
    let left = quarantined(&lectern).await;
    let shown: Value =
        serde_json::from_str(&run(&["show", "--json", left[0]["id"].as_str().unwrap()]).await).unwrap();
    assert_eq!(shown["body"], "{}");

    let unsaid = setup.run(&["quarantine", "delete", "--url", &lectern.internal]).await;
    assert!(!unsaid.success && unsaid.stderr.contains("<ID|FILTER=VALUE>"), "{unsaid:?}");
    assert_eq!(run(&["delete", "reason=timestamp_too_old"]).await, "0 deleted.\n");
    assert_eq!(run(&["delete", left[0]["id"].as_str().unwrap()]).await, "1 deleted.\n");
    assert_eq!(run(&["delete", "--all"]).await, "0 deleted.\n");
    assert_eq!(quarantined(&lectern).await, Vec::<Value>::new());
}
