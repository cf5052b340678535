//! What is refused before the first event.

use serde_json::{Value, json};

use crate::support::{handler, refusal};

fn refused(mut settings: Value) -> String {
    for (key, needed) in json!({ "url": "redis://localhost", "stream": "podium" }).as_object().unwrap() {
        settings.as_object_mut().unwrap().entry(key).or_insert_with(|| needed.clone());
    }
    let refused = refusal("redis", settings);
    assert!(!refused.contains("hunter2"), "{refused}");
    refused
}

#[test]
fn an_address_and_a_stream_are_needed() {
    assert_eq!(refusal("redis", json!({})), "the key `url` is missing");
    assert_eq!(refusal("redis", json!({ "url": "redis://localhost" })), "the key `stream` is missing");
}

#[test]
fn an_address_of_another_form_is_refused_and_not_repeated() {
    for url in [
        "",
        "http://user:hunter2@host",
        "redis://",
        "redis://:hunter2@",
        "redis://host:hunter2",
        "redis://host/hunter2",
        "rediss://host/#insecure",
        "unix:///run/hunter2",
    ] {
        let refused = refused(json!({ "url": url }));
        assert!(refused.starts_with("`url`: write it as redis://"), "{url}: {refused}");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2").unwrap();
    for (settings, expected) in [
        (json!({ "stram": "podium" }), "unknown key `stram`; did you mean `stream`?"),
        (json!({ "stream": "" }), "`stream`: must not be empty"),
        (json!({ "stream": "podium:{type}" }), "`stream`: only {event_type} can stand in braces"),
        (json!({ "maxlen": 0 }), "`maxlen`: must be a nonzero u64, not this number"),
        (json!({ "url": "redis://:hunter2@localhost", "password": "hunter2" }), "`url` has a password, and"),
        (
            json!({ "ca_file": file.path() }),
            &format!("`ca_file` names {}, which holds no", file.path().display()),
        ),
    ] {
        let refused = refused(settings);
        assert!(refused.starts_with(expected), "{refused}");
    }
    let missing = refused(json!({ "url": "rediss://localhost", "ca_file": "/nowhere/file" }));
    assert!(missing.starts_with("`ca_file` names /nowhere/file, which can't be read"), "{missing}");
}

#[test]
fn a_server_that_is_away_at_the_start_is_no_mistake() {
    // Port 1 is nobody's.
    handler("redis", json!({ "url": "rediss://:hunter2@[::1]:1/3", "stream": "podium", "maxlen": 1000 }));
}
