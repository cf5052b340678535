//! The doctor beside a running server: what is in quarantine is examined.

use serde_json::{Value, json};

use crate::support::lectern::{Answer, SECRET, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;

const NORTH: &str = "of-the-north-wind";
const SOURCES: &str =
    "[sources.default]\non_unverified = \"hold\"\n[sources.north]\nsecret = \"of-the-north-wind\"\n";

/// What the doctor says, and whether the request would be accepted.
async fn doctor(setup: &Setup, arguments: &[&str]) -> (String, bool) {
    let ended = setup.run(&[&["doctor"], arguments].concat()).await;
    for secret in [SECRET, NORTH, "a-private-text"] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{ended:?}");
    }
    assert_eq!(ended.stderr, "");
    (ended.stdout, ended.success)
}

on_both_stores! {
    async fn the_doctor_examines_what_is_in_quarantine_while_the_server_runs(setup) {
        let setup = setup.config(SOURCES);
        let lectern = setup.start().await;
        let nothing = setup.run(&["doctor"]).await;
        assert!(nothing.stderr.contains("no request is in the quarantine of"), "{nothing:?}");
        assert!(nothing.stderr.contains("--request FILE") && !nothing.success, "{nothing:?}");

        // Signed with another source's secret, and held.
        let body = b"{\"data\":\"a-private-text\"}";
        let request = lectern.signed("/webhooks/podium", NORTH, &now_in_milliseconds(), body);
        let held = Answer::of(request).await.json()["data"]["id"].as_str().unwrap().to_owned();
        // In seconds, and rejected: it is kept soon after the answer.
        let seconds = &now_in_milliseconds()[..10];
        let late = Answer::of(lectern.signed("/webhooks/podium/north", NORTH, seconds, body)).await;
        assert_eq!(late.code(), "timestamp_too_old");
        let newest = eventually("it is kept", async || {
            let kept = lectern.get("/api/v1/quarantine?source=north").await;
            kept[0]["id"].as_str().map(str::to_owned)
        }).await;

        let (said, accepted) = doctor(&setup, &[]).await;
        let first = format!("Request {newest} in quarantine: to the source `north`, received at ");
        assert!(said.starts_with(&first) && !accepted, "{said}");
        assert!(said.contains(", answered 401 timestamp_too_old\n\n"), "{said}");
        assert!(said.contains("wrong  timestamp  ") && said.contains("seconds"), "{said}");

        let (said, accepted) = doctor(&setup, &[&held]).await;
        let first = format!("Request {held} in quarantine: to the source `default`, received at ");
        assert!(said.starts_with(&first) && !accepted, "{said}");
        assert!(said.contains(", answered 200, and held for signature_mismatch\n\n"), "{said}");
        assert!(said.contains("wrong  secret  ") && said.contains("`north`"), "{said}");

        let (said, accepted) = doctor(&setup, &["--source", "default", "--json"]).await;
        let said: Value = serde_json::from_str(&said).unwrap();
        let kept = lectern.get(&format!("/api/v1/quarantine/{held}")).await;
        assert_eq!(said["quarantined"], json!({ "id": held, "reason": "signature_mismatch", "held": true }));
        assert_eq!((&said["source"], &said["receivedAt"]), (&kept["source"], &kept["receivedAt"]));
        assert_eq!((&said["code"], accepted), (&json!("secret_of_another_source"), false));

        // With today's configuration it passes: what is left to do is to release it.
        let mended = setup.env("PODIUM_WEBHOOK_SECRET", NORTH);
        let (said, accepted) = doctor(&mended, &[&held]).await;
        assert!(said.contains("\nAccepted: ") && said.contains("/api/v1/quarantine/release"), "{said}");
        assert!(accepted, "{said}");

        let forgotten = mended.config("");
        let gone = forgotten.run(&["doctor", &newest]).await;
        assert!(gone.stderr.contains("`north`, which is not configured any more"), "{gone:?}");
    }
}
