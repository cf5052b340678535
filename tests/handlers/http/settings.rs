//! What is refused before the first event.

use serde_json::json;

use crate::support::refusal;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[test]
fn an_address_is_needed() {
    assert_eq!(refusal("http", json!({})), "missing field `url`");
}

#[test]
fn an_address_that_cannot_be_posted_to_is_refused_and_not_repeated() {
    for url in ["localhost:8080/hunter2", "ftp://user:hunter2@host/", "hunter2", "", "https://user:hunter2@"]
    {
        let refused = refusal("http", json!({ "url": url }));
        assert!(refused.starts_with("url: "), "{refused}");
        assert!(refused.ends_with("; write it as https://host/path"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_misspelt_key_is_named() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secrets": "hunter2" }));
    assert!(refused.contains("unknown field `secrets`"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_secret_of_another_form_is_refused_and_not_repeated() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secret": "hunter2" }));
    assert!(refused.starts_with("secret: this is no Standard Webhooks secret"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let refused = refusal("http", json!({ "url": "http://localhost", "secret_file": "/nowhere/secret" }));
    assert!(refused.starts_with("secret_file: /nowhere/secret: No such file"), "{refused}");
}

#[test]
fn a_secret_and_a_file_for_it_are_one_too_many() {
    let settings = json!({ "url": "http://localhost", "secret": SECRET, "secret_file": "/nowhere/secret" });
    assert!(refusal("http", settings).contains("keep one of them"));
}

#[test]
fn a_header_that_cannot_be_sent_is_named_and_its_value_is_not_shown() {
    for (name, value, expected) in [
        ("Webhook-Id", json!("hunter2"), "`Webhook-Id` is set by Lectern itself"),
        ("lectern-attempt", json!("hunter2"), "`lectern-attempt` is set by Lectern itself"),
        ("Content-Length", json!("hunter2"), "`Content-Length` is set by Lectern itself"),
        ("two words", json!("hunter2"), "`two words` can't be a header's name"),
        ("authorization", json!("hunter2\n"), "the value of `authorization` can't be sent"),
        ("authorization", json!(["hunter2"]), "the value of `authorization` is not a text"),
    ] {
        let refused = refusal("http", json!({ "url": "http://localhost", "headers": { name: value } }));
        assert!(refused.starts_with(&format!("headers: {expected}")), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn one_header_in_two_spellings_is_refused() {
    let headers = json!({ "X-Tenant": "north", "x-tenant": "south" });
    let refused = refusal("http", json!({ "url": "http://localhost", "headers": headers }));
    assert!(refused.contains("is there twice"), "{refused}");
}
