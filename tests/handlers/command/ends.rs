//! How a program ends, and what it leaves to read.

use lectern::handlers::Success;
use serde_json::json;

use super::shell;
use crate::support::{handler, work};

#[tokio::test]
async fn status_0_is_done() {
    let done = shell("exit 0").handle(&work("{}")).await;
    assert_eq!(done, Ok(Success { status: Some(0), output: None }));
}

#[tokio::test]
async fn another_status_is_a_failure_that_is_tried_again() {
    let failure = shell("echo out; echo wrong >&2; exit 3").handle(&work("{}")).await.unwrap_err();
    assert_eq!(failure.reason, "`sh` ended with status 3");
    assert_eq!(failure.status, Some(3));
    assert_eq!(failure.output.as_deref(), Some("out\nwrong\n"));
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_signal_is_a_failure_that_names_it() {
    let failure = shell("kill -TERM $$").handle(&work("{}")).await.unwrap_err();
    assert_eq!(failure.reason, "`sh` was killed by signal 15 (SIGTERM)");
    assert_eq!(failure.status, None);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_failure_that_names_it() {
    let failure =
        handler("command", json!({ "command": ["/nowhere/program", "hunter2"] })).handle(&work("{}")).await;
    let failure = failure.unwrap_err();
    assert_eq!(
        failure.reason,
        "`/nowhere/program` could not be started: No such file or directory (os error 2)"
    );
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_program_need_not_read_its_input() {
    let body = vec![b'x'; 1024 * 1024];
    shell("exit 0").handle(&work(body.clone())).await.unwrap();
    shell("exec <&-; echo closed").handle(&work(body)).await.unwrap();
}

#[tokio::test]
async fn much_goes_both_ways_at_once() {
    let body = vec![b'x'; 4 * 1024 * 1024];
    let done = shell("tee /dev/stderr; echo end").handle(&work(body)).await.unwrap();
    let output = done.output.unwrap();
    assert_eq!(output.len(), 2048);
    assert!(output.ends_with("xxxend\n"), "{output}");
}

#[tokio::test]
async fn the_end_of_both_outputs_is_kept_in_the_order_of_writing() {
    let line = "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let output = shell(line).handle(&work("{}")).await.unwrap().output.unwrap();
    assert!(output.len() <= 2048);
    assert!(output.ends_with("out 498\nerr 498\nout 499\nerr 499\n"), "{output}");
}

#[tokio::test]
async fn output_of_any_bytes_is_kept_as_text() {
    let done = shell(r"printf 'a\000b\377'").handle(&work("{}")).await.unwrap();
    assert_eq!(done.output.as_deref(), Some("a\0b\u{fffd}"));
}
