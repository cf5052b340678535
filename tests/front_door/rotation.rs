//! Changing secrets while events come in: SIGHUP, last moments, and what can go.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::events::new_event;
use crate::support::lectern::{Answer, Lectern, SECRET, Setup, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::eventually;

/// A default source with these secrets, besides whatever `more` says.
fn configured(setup: Setup, secrets: &[(&str, &str)], more: &str) -> Setup {
    let tables: String = secrets
        .iter()
        .map(|(name, secret)| {
            format!("[[sources.default.secrets]]\nname = \"{name}\"\nsecret = \"{secret}\"\n")
        })
        .collect();
    setup.without("PODIUM_WEBHOOK_SECRET").config(&format!("{more}\n{tables}"))
}

/// What a new event is answered that was signed with this secret: `accepted`, or why not.
async fn answer(lectern: &Lectern, path: &str, secret: &str) -> String {
    let body = new_event("message.received", "c");
    let answer = Answer::of(lectern.signed(path, secret, &now_in_milliseconds(), &body)).await;
    answer.json()["data"]["status"].as_str().map_or_else(|| answer.code(), str::to_owned)
}

async fn secrets(lectern: &Lectern) -> Value {
    lectern.get("/api/v1/sources").await[0]["secrets"].clone()
}

/// The last line of the log with these words, as JSON.
fn line(log: &str, words: &str) -> Value {
    let line = log.lines().rev().find(|line| line.contains(words));
    serde_json::from_str(line.unwrap_or_else(|| unreachable!("`{words}` in {log}"))).unwrap()
}

const PATH: &str = "/webhooks/podium";

on_both_stores! {
    async fn a_secret_is_changed_under_load_without_a_request_refused(setup) {
        let setup = configured(setup, &[("old", "the-old-one")], "");
        let lectern = setup.start().await;
        assert_eq!(answer(&lectern, PATH, "the-new-one").await, "signature_mismatch");
        let (is_over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
        let load = futures_util::future::join_all((0..8).map(|_| async {
            while !is_over.load(Ordering::SeqCst) {
                assert_eq!(answer(&lectern, PATH, "the-old-one").await, "accepted");
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let rotation = async {
            let setup = configured(setup, &[("old", "the-old-one"), ("new", "the-new-one")], "");
            for _ in 0..10 {
                let before = sent.load(Ordering::SeqCst);
                eventually("load", async || (sent.load(Ordering::SeqCst) >= before + 8).then_some(())).await;
                lectern.reload().await;
                assert_eq!(answer(&lectern, PATH, "the-new-one").await, "accepted");
            }
            is_over.store(true, Ordering::SeqCst);
            setup
        };
        let (_, setup) = tokio::join!(load, rotation);
        let added = line(&lectern.log(), "sources.default.secrets.new");
        assert_eq!(added["fields"]["added"], "sources.default.secrets.new");

        let _setup = configured(setup, &[("new", "the-new-one")], "");
        let log = lectern.reload().await;
        assert_eq!(line(&log, "taken over")["fields"]["removed"], "sources.default.secrets.old");
        assert_eq!(answer(&lectern, PATH, "the-old-one").await, "signature_mismatch");
        assert_eq!(answer(&lectern, PATH, "the-new-one").await, "accepted");
        assert!(!log.contains("the-old-one") && !log.contains("the-new-one"));
    }

    async fn a_broken_configuration_is_refused_whole_and_the_old_one_stays(setup) {
        let setup = configured(setup, &[("old", "the-old-one")], "");
        let lectern = setup.start().await;
        let north = "[sources.north]\nsecret = \"n\"\n";
        for (more, reason) in [
            ("[public]\nmax_body = \"lots\"\n", "public.max_body"),
            ("[public\n", "is no TOML"),
            ("[sources.south]\n", "the source `south`"),
            ("[[handlers]]\nname = \"crm\"\nkind = \"htp\"\n", "`htp`"),
            ("[sources.south]\nsecret_file = \"/no/such/file\"\n", "/no/such/file"),
        ] {
            configured(Setup { dir: setup.dir.clone(), env: setup.env.clone() }, &[("new", "the-new-one")], &format!("{north}{more}"));
            let log = lectern.reload().await;
            let refused = line(&log, "refused");
            assert!(refused["fields"]["reason"].as_str().unwrap().contains(reason), "{refused}");
            assert_eq!(answer(&lectern, PATH, "the-old-one").await, "accepted");
            assert_eq!(answer(&lectern, PATH, "the-new-one").await, "signature_mismatch");
            assert_eq!(answer(&lectern, "/webhooks/podium/north", "n").await, "unknown_source");
        }
        // As it was, it is taken over as ever.
        let _setup = configured(setup, &[("old", "the-old-one")], north);
        lectern.reload().await;
        assert_eq!(answer(&lectern, "/webhooks/podium/north", "n").await, "accepted");
    }

    async fn sources_come_and_go_and_the_rest_waits_for_the_next_start(setup) {
        let setup = configured(setup, &[("a", "a")], "[sources.north]\nsecret = \"n\"\n");
        let lectern = setup.start().await;
        let more = "[sources.south]\nallow_unsigned = true\n[public]\nmax_body = \"2MiB\"\n[internal]\nlisten = \"127.0.0.1:1\"\n";
        // The address comes from the environment of the start, which stays.
        let _setup = configured(setup, &[("a", "a")], more);
        let log = lectern.reload().await;
        let taken = line(&log, "taken over");
        assert_eq!((&taken["fields"]["added"], &taken["fields"]["removed"]), (&json!("sources.south"), &json!("sources.north")));
        let log = eventually("what waits is told", async || Some(lectern.log()).filter(|log| log.contains("next start"))).await;
        assert_eq!(line(&log, "next start")["fields"]["keys"], "public.max_body");
        assert_eq!(answer(&lectern, "/webhooks/podium/north", "n").await, "unknown_source");
        let unsigned = lectern.http.post(format!("{}/webhooks/podium/south", lectern.public)).body("{}");
        assert_eq!(Answer::of(unsigned).await.status, 200);
        let names: Vec<Value> = lectern.get("/api/v1/sources").await.as_array().unwrap().iter().map(|source| source["name"].clone()).collect();
        assert_eq!(names, ["default", "south"]);
    }

    async fn the_secret_that_the_first_start_made_is_read_again_and_never_made_anew(setup) {
        let setup = setup.without("PODIUM_WEBHOOK_SECRET");
        let lectern = setup.start().await;
        let file = setup.data_dir().join("webhook-secret");
        let made = std::fs::read_to_string(&file).unwrap();
        assert_eq!(answer(&lectern, PATH, made.trim()).await, "accepted");
        std::fs::write(&file, "another").unwrap();
        let log = lectern.reload().await;
        assert_eq!(line(&log, "taken over")["fields"]["changed"], "sources.default.secret");
        assert_eq!(answer(&lectern, PATH, "another").await, "accepted");
        assert_eq!(answer(&lectern, PATH, made.trim()).await, "signature_mismatch");

        std::fs::remove_file(&file).unwrap();
        let log = lectern.reload().await;
        assert!(line(&log, "refused")["fields"]["reason"].as_str().unwrap().contains("webhook-secret is not there"));
        assert_eq!(answer(&lectern, PATH, "another").await, "accepted");
        assert!(!file.exists());
    }

    async fn a_secret_past_its_last_moment_is_refused_and_a_source_without_another_is_told(setup) {
        let north = "[[sources.north.secrets]]\nname = \"old\"\nsecret = \"n\"\nnot_after = \"2020-01-01T00:00:00Z\"\n";
        let last = "not_after = \"2099-01-01T00:00:00Z\"";
        let setup = setup.config(&format!("{north}[sources.default]\nprevious_secret = \"before\"\nprevious_secret_{last}"));
        let lectern = setup.start().await;
        assert!(lectern.log().contains("every secret of this source is past its `not_after`"), "{}", lectern.log());
        assert_eq!(answer(&lectern, "/webhooks/podium/north", "n").await, "signature_mismatch");
        assert_eq!(answer(&lectern, PATH, "before").await, "accepted");
        assert_eq!(answer(&lectern, PATH, SECRET).await, "accepted");
        assert_eq!(secrets(&lectern).await[1]["notAfter"], "2099-01-01T00:00:00Z");
        assert_eq!(lectern.get("/api/v1/sources").await[1]["secrets"][0]["state"], "expired");
    }

    async fn when_a_secret_was_last_used_is_known_after_a_restart_whatever_it_is_called_then(setup) {
        let setup = configured(setup, &[("first", "the-one"), ("second", "the-other")], "");
        let lectern = setup.start().await;
        for _ in 0..3 {
            assert_eq!(answer(&lectern, PATH, "the-one").await, "accepted");
        }
        assert!(lectern.stop().await.success());

        let setup = configured(setup, &[("second", "the-one"), ("first", "the-new-one")], "");
        let lectern = setup.start().await;
        let before = secrets(&lectern).await;
        assert_eq!((&before[0]["eventCount"], &before[0]["state"]), (&json!(3), &json!("active")));
        assert_eq!((&before[1]["eventCount"], &before[1]["lastUsedAt"]), (&json!(0), &json!(null)));
        assert_eq!(answer(&lectern, PATH, "the-one").await, "accepted");
        // Written by itself, too, within seconds.
        let after = eventually("the use is written", async || {
            Some(secrets(&lectern).await).filter(|secrets| secrets[0]["eventCount"] == 4)
        }).await;
        assert!(after[0]["lastUsedAt"].as_str() > before[0]["lastUsedAt"].as_str());

        let listed = setup.run(&["sources", "--json"]).await;
        assert!(listed.success, "{listed:?}");
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(listed, lectern.get("/api/v1/sources").await);
        let table = setup.run(&["sources"]).await;
        assert!(table.stdout.contains("default  second  active"), "{}", table.stdout);
        assert!(table.stdout.contains("default  first   unused"), "{}", table.stdout);
    }
}

#[tokio::test]
async fn a_hangup_during_the_start_does_not_end_it() {
    // A database that takes connections and says nothing: the start is under way and does not get on.
    let database = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://lectern@{}/lectern", database.local_addr().unwrap());
    let setup = Setup::sqlite().env("DATABASE_URL", &url);
    let mut server = setup.command(&["serve"]).spawn().unwrap();
    let _held = database.accept().await.unwrap();
    let id = Pid::from_raw(i32::try_from(server.id().unwrap()).unwrap());
    for signal in [Signal::SIGHUP, Signal::SIGTERM] {
        kill(id, signal).unwrap();
    }
    let ended = server.wait().await.unwrap();
    assert!(ended.success(), "{ended}");
}
