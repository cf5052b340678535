//! What is refused before the first event.

use serde_json::{Value, json};

use crate::support::refusal;

/// The refusal of settings that lack nothing but what `changes` changes; null takes a key away.
fn refused(changes: Value) -> String {
    let mut settings = json!({
        "brokers": ["kafka-1:9093"],
        "topic": "podium",
        "tls": true,
        "mechanism": "SCRAM-SHA-512",
        "username": "lectern",
        "password": "hunter2",
    });
    let (Some(table), Value::Object(changes)) = (settings.as_object_mut(), changes) else {
        panic!("settings are a table");
    };
    table.extend(changes);
    table.retain(|_, value| !value.is_null());
    let refused = refusal("kafka", settings);
    assert!(!refused.contains("hunter2"), "{refused}");
    refused
}

#[test]
fn mistakes_are_named_and_secrets_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let not_pem = folder.path().join("ca.pem");
    std::fs::write(&not_pem, "nothing").unwrap();
    for (changes, said) in [
        (json!({ "brokers": null }), "the key `brokers` is missing"),
        (json!({ "topic": null }), "the key `topic` is missing"),
        (json!({ "brokers": [] }), "`brokers`: name some"),
        (json!({ "brokers": "kafka-1:9092" }), "`brokers`: must be a sequence, not this text"),
        (json!({ "brokers": ["a:9092", "kafka://hunter2@b"] }), "`brokers`: number 2 is no address"),
        (json!({ "brokers": ["a:9092,b:9092"] }), "`brokers`: number 1 is no address"),
        (json!({ "brokers": ["a:0"] }), "`brokers`: number 1 is no address"),
        (json!({ "brokers": ["::1:9092"] }), "`brokers`: number 1 is no address"),
        (json!({ "topic": "" }), "`topic`: must not be empty"),
        (json!({ "topic": "podium.{type}" }), "`topic`: only {event_type} can stand in braces"),
        (json!({ "topic": "two words" }), "`topic`: a topic's name has at most 249 letters"),
        (json!({ "topics": "podium" }), "unknown key `topics`; did you mean `topic`?"),
        (json!({ "tls": null }), "the key `tls` is missing"),
        (json!({ "tls": "yes" }), "`tls`: must be a boolean, not this text"),
        (json!({ "tls": false, "ca_file": "/nowhere" }), "`ca_file` is of no use without TLS"),
        (json!({ "ca_file": "/nowhere" }), "`ca_file` names /nowhere, which can't be read"),
        (json!({ "ca_file": not_pem }), "`ca_file` names "),
        (
            json!({ "certificate_file": not_pem, "key_file": not_pem }),
            "the Kafka client refuses these settings: ",
        ),
        (json!({ "key_file": not_pem }), "`certificate_file` and `key_file` belong together"),
        (json!({ "mechanism": null }), "`mechanism` is missing"),
        (json!({ "mechanism": "hunter2" }), "`mechanism` must be \"PLAIN\""),
        (json!({ "username": null }), "`username` is missing"),
        (json!({ "password": null }), "`password` (or `password_file`) is missing"),
        (json!({ "password_file": "/nowhere" }), "`password` and `password_file` are both set"),
        (json!({ "password": "hunter2\0" }), "`password`: a password has no zero characters"),
    ] {
        let refused = refused(changes.clone());
        assert!(refused.starts_with(said), "{changes}: {refused}");
    }
}

#[test]
fn every_form_of_address_is_taken() {
    for broker in
        ["kafka", "kafka-1.example.com:9092", "10.0.0.1:9092", "[::1]:9092", "[::1]", "under_score:1"]
    {
        let settings = lectern::config::Settings::new(
            json!({ "brokers": [broker], "topic": "podium" }).as_object().unwrap().clone(),
        );
        assert!(lectern::handlers::Registry::built_in().build("kafka", settings).is_ok(), "{broker}");
    }
}
