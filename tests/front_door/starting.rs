//! What the first minute is like, and what a mistake looks like.

use std::os::unix::fs::PermissionsExt;

use reqwest::Method;

use crate::support::lectern::{Answer, Setup};
use crate::support::on_both_stores;

on_both_stores! {
    async fn without_any_configuration_a_first_event_is_sent_stored_and_listed(setup) {
        let setup = setup.without("PODIUM_WEBHOOK_SECRET").without("LECTERN_API_TOKEN");
        let lectern = setup.start().await;
        let token = setup.data_dir().join("api-token");
        let secret = setup.data_dir().join("webhook-secret");
        for file in [&token, &secret] {
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is for its owner only", file.display());
        }
        let to = format!("{}/webhooks/podium", lectern.public);
        // It finds the secret by itself.
        let sent = setup.run(&["send", "--to", &to, "message.received", "review.created"]).await;
        assert!(sent.success, "{sent:?}");
        let token = std::fs::read_to_string(token).unwrap();
        let asked = lectern.http.get(format!("{}/api/v1/events?type=message.*", lectern.internal)).bearer_auth(token.trim());
        let listed = Answer::of(asked).await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed["data"][0]["type"], "message.received");
        let secret = std::fs::read_to_string(secret).unwrap();
        assert!(!lectern.log().contains(secret.trim()) && !lectern.log().contains(token.trim()));
    }

    async fn every_command_that_sends_is_answered_200(setup) {
        let lectern = setup.start().await;
        let to = format!("{}/webhooks/podium", lectern.public);
        let odd = setup.dir.path().join("odd.bin");
        std::fs::write(&odd, b"\xff\x00 anything").unwrap();
        for (arguments, events) in [
            (vec!["--all"], 26),
            (vec!["--test"], 1),
            (vec!["--file", odd.to_str().unwrap()], 1),
            (vec!["message.sent", "--count", "100", "--connections", "8", "--conversations", "5"], 100),
        ] {
            let before = count(&lectern).await;
            let sent = setup.run(&[vec!["send", "--to", &to], arguments.clone()].concat()).await;
            assert!(sent.success, "{arguments:?}: {sent:?}");
            assert_eq!(count(&lectern).await - before, events, "{arguments:?}");
        }
    }

    async fn a_token_that_was_made_opens_the_api_and_no_other_does(setup) {
        let lectern = setup.start().await;
        let made = setup.run(&["token", "create", "--name", "reporting"]).await;
        assert!(made.success, "{made:?}");
        let ask = |token: &str| Answer::of(lectern.http.get(format!("{}/api/v1/events", lectern.internal)).bearer_auth(token));
        assert_eq!(ask(made.stdout.trim()).await.status, 200);
        let wrong = ask("not-a-token").await;
        assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (401, "unauthenticated"));
        let none = Answer::of(lectern.http.get(format!("{}/api/v1/events", lectern.internal))).await;
        assert_eq!(none.status, 401);
        let pause = lectern.http.post(format!("{}/api/v1/handlers/log/pause", lectern.internal)).bearer_auth(made.stdout.trim());
        let pause = Answer::of(pause).await;
        assert_eq!((pause.status.as_u16(), pause.code().as_str()), (403, "unauthorized"));
        let again = setup.run(&["token", "create", "--name", "reporting"]).await;
        assert!(!again.success && again.stderr.contains("reporting"), "{again:?}");
        assert!(setup.run(&["token", "revoke", "reporting"]).await.success);
        assert_eq!(ask(made.stdout.trim()).await.status, 401);
    }
}

async fn count(lectern: &crate::support::lectern::Lectern) -> usize {
    let mut path = "/api/v1/events?limit=100".to_owned();
    let mut count = 0;
    loop {
        let page = lectern.api(Method::GET, &path).await.json();
        count += page["data"].as_array().unwrap().len();
        let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { return count };
        path = format!("/api/v1/events?cursor={cursor}");
    }
}

#[tokio::test]
async fn a_second_server_on_one_sqlite_file_is_refused_with_the_reason() {
    let setup = Setup::sqlite();
    let _first = setup.start().await;
    let second = setup.run(&["serve"]).await;
    assert!(!second.success);
    assert!(second.stderr.contains("PostgreSQL"), "it says what several processes need: {}", second.stderr);
}

#[tokio::test]
async fn several_processes_that_start_at_once_make_the_schema_once() {
    let setup = Setup::postgres().await;
    let started = futures_util::future::join_all((0..4).map(|_| setup.start())).await;
    for lectern in &started {
        assert_eq!(lectern.post(br#"{"data":{},"metadata":{"eventUid":"same"}}"#).await.status, 200);
    }
    assert_eq!(count(&started[0]).await, 1);
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_one_sentence_with_the_key_and_its_place() {
    for (config, words) in [
        ("[public]\nlisten = \"nowhere\"", vec!["public.listen", "nowhere", "lectern.toml"]),
        ("[public]\nlissten = \"127.0.0.1:80\"", vec!["lissten", "listen", "lectern.toml"]),
        ("[retention]\nevents = \"5d\"", vec!["retention.events", "verification.max_age"]),
        ("[[handlers]]\nname = \"a\"\nkind = \"htp\"", vec!["htp", "http", "lectern.toml"]),
        (
            "[[handlers]]\nname = \"a\"\nkind = \"http\"\nurll = \"http://x\"",
            vec!["urll", "url", "lectern.toml"],
        ),
        ("[verification]\nmax_age = \"soon\"", vec!["verification.max_age", "soon", "lectern.toml"]),
        ("[public", vec!["lectern.toml"]),
    ] {
        let setup = Setup::sqlite().without("LECTERN_LISTEN").config(config);
        for command in ["serve", "config check"] {
            let arguments: Vec<_> = command.split(' ').collect();
            let ended = setup.run(&arguments).await;
            assert!(!ended.success, "{command} with {config}");
            for word in &words {
                assert!(ended.stderr.contains(word), "{command} with {config}: `{word}` in {}", ended.stderr);
            }
        }
    }
}
