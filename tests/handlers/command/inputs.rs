//! What a program is given.

use std::collections::BTreeMap;

use serde_json::json;

use super::shell;
use crate::support::{handler, work};

#[tokio::test]
async fn the_body_is_the_standard_input_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let body: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let settings = json!({ "command": ["sh", "-c", "cat > body"], "working_dir": folder.path() });

    handler("command", settings).handle(&work(body.clone())).await.unwrap();

    assert_eq!(std::fs::read(folder.path().join("body")).unwrap(), body);
}

#[tokio::test]
async fn the_environment_says_which_event_it_is() {
    let work = work("{}");
    let settings = json!({ "command": ["env"], "env": { "TENANT": "north" } });

    // The end of a long environment is kept, so ours is asked for.
    let output = handler("command", settings).handle(&work).await.unwrap().output.unwrap();
    assert!(output.lines().any(|line| line == "TENANT=north"), "{output}");

    let output = shell("env | grep ^LECTERN_").handle(&work).await.unwrap().output.unwrap();
    let given: BTreeMap<_, _> = output.lines().map(|line| line.split_once('=').unwrap()).collect();
    let event_id = work.event.id.to_string();
    let delivery_id = work.delivery.id.to_string();
    let expected = BTreeMap::from([
        ("LECTERN_EVENT_ID", event_id.as_str()),
        ("LECTERN_EVENT_TYPE", "message.received"),
        ("LECTERN_EVENT_UID", "event-1"),
        ("LECTERN_SUBJECT_UID", "message-1"),
        ("LECTERN_CONVERSATION_UID", "conversation-1"),
        ("LECTERN_LOCATION_UID", "location-1"),
        ("LECTERN_RECEIVED_AT", "2026-01-02T03:04:05Z"),
        ("LECTERN_SOURCE", "default"),
        ("LECTERN_HANDLER", "mine"),
        ("LECTERN_ORDERING_KEY", "conversation-1"),
        ("LECTERN_DELIVERY_ID", &delivery_id),
        ("LECTERN_ATTEMPT", "2"),
    ]);
    assert_eq!(given, expected);
}

#[tokio::test]
async fn a_value_that_no_program_can_be_given_is_left_out() {
    let mut work = work("{}");
    work.event.event_type = "a\0b".to_owned();
    let done = shell("echo \"[$LECTERN_EVENT_TYPE]\"").handle(&work).await.unwrap();
    assert_eq!(done.output.as_deref(), Some("[]\n"));
}

#[tokio::test]
async fn arguments_are_not_read_by_a_shell() {
    let settings = json!({ "command": ["printf", "%s|", "$HOME", "a b", "; exit 1"] });
    let done = handler("command", settings).handle(&work("{}")).await.unwrap();
    assert_eq!(done.output.as_deref(), Some("$HOME|a b|; exit 1|"));
}
