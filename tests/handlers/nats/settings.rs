//! What is refused before the first event.

use serde_json::{Value, json};

use crate::support::{handler, refusal};

fn refused(mut settings: Value) -> String {
    for (key, needed) in
        json!({ "url": "nats://localhost", "subject": "podium.{event_type}" }).as_object().unwrap()
    {
        settings.as_object_mut().unwrap().entry(key).or_insert_with(|| needed.clone());
    }
    let refused = refusal("nats", settings);
    assert!(!refused.contains("hunter2"), "{refused}");
    refused
}

#[test]
fn an_address_and_a_subject_are_needed() {
    assert_eq!(refusal("nats", json!({})), "the key `url` is missing");
    assert_eq!(refusal("nats", json!({ "url": "nats://localhost" })), "the key `subject` is missing");
}

#[test]
fn an_address_of_another_form_is_refused_and_not_repeated() {
    for url in [
        "",
        "http://user:hunter2@host",
        "ws://host",
        "nats://",
        "nats://:hunter2@",
        "nats://host:hunter2",
        "a,,b",
    ] {
        let refused = refused(json!({ "url": url }));
        assert!(refused.starts_with("`url`: write it as nats://HOST:PORT"), "{url}: {refused}");
    }
}

#[test]
fn a_misspelt_key_is_named() {
    let refused = refused(json!({ "pasword": "hunter2" }));
    assert!(refused.contains("unknown key `pasword`; did you mean `password`?"), "{refused}");
}

#[test]
fn a_subject_that_nothing_can_be_published_to_is_refused() {
    for subject in ["", "podium.>", "podium.*", "two words", ".podium", "podium..in", "podium.{type}"] {
        let refused = refused(json!({ "subject": subject }));
        assert!(refused.starts_with("`subject`: "), "{subject}: {refused}");
    }
}

#[test]
fn credentials_that_contradict_one_another_are_refused() {
    for settings in [
        json!({ "url": "nats://user:hunter2@localhost", "password": "hunter2" }),
        json!({ "url": "nats://user:hunter2@localhost", "token": "hunter2" }),
        json!({ "token": "hunter2", "credentials_file": "/nowhere/podium.creds" }),
    ] {
        let refused = refused(settings);
        assert!(refused.starts_with("there is more than one way to be known to the server"), "{refused}");
    }
    assert!(refused(json!({ "password": "hunter2" })).starts_with("`password` is set, but no user"));
    let url = "nats://a:hunter2@one,nats://b:hunter2@two";
    assert!(refused(json!({ "url": url })).starts_with("`url`: the servers of one cluster"));
}

#[test]
fn a_file_that_holds_not_what_it_should_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2").unwrap();
    for (key, reason) in
        [("credentials_file", "holds no JWT with its key"), ("ca_file", "holds no certificates")]
    {
        let refused = refused(json!({ key: file.path() }));
        let expected = format!("`{key}` names {}, which {reason}", file.path().display());
        assert!(refused.starts_with(&expected), "{refused}");
        let missing = self::refused(json!({ key: "/nowhere/file" }));
        assert!(
            missing.starts_with(&format!("`{key}` names /nowhere/file, which can't be read")),
            "{missing}"
        );
    }
}

#[test]
fn a_server_that_is_away_at_the_start_is_no_mistake() {
    // Port 1 is nobody's.
    handler("nats", json!({ "url": "nats://token@127.0.0.1:1,127.0.0.1:1", "subject": "podium" }));
    handler("nats", json!({ "url": "tls://[::1]:1", "subject": "podium", "token": "hunter2" }));
}
