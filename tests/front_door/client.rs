//! What the REST API shows, asked for on the command line.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::time::timeout;

use crate::events::new_event;
use crate::support::lectern::{Ended, Lectern, Setup};
use crate::support::patience::eventually;

/// A server that comes back at the same address when it is started again.
fn setup() -> Setup {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Setup::sqlite().env("LECTERN_INTERNAL_LISTEN", &free().to_string())
}

async fn sent(setup: &Setup, lectern: &Lectern, what: &[&str]) {
    let to = format!("{}/webhooks/podium", lectern.public);
    let sent = setup.run(&[&["send", "--to", &to], what].concat()).await;
    assert!(sent.success, "{sent:?}");
    eventually("all is mirrored", async || {
        (lectern.get("/api/v1/mirror").await["waiting"] == 0).then_some(())
    })
    .await;
}

async fn json(setup: &Setup, arguments: &[&str]) -> Value {
    let shown = setup.run(&[arguments, &["--json"]].concat()).await;
    assert!(shown.success, "{arguments:?}: {shown:?}");
    serde_json::from_str(&shown.stdout).unwrap()
}

fn failed(ended: &Ended, words: &[&str]) {
    assert!(!ended.success && ended.stdout.is_empty(), "{ended:?}");
    for words in words {
        assert!(ended.stderr.contains(words), "`{words}` in {ended:?}");
    }
}

#[tokio::test]
async fn everything_is_listed_and_shown() {
    let setup = setup();
    let lectern = setup.start().await;
    sent(&setup, &lectern, &["--all"]).await;
    for (list, id, heading) in [
        ("events", "id", "RECEIVED"),
        ("messages", "uid", "CREATED"),
        ("conversations", "uid", "LAST ACTIVITY"),
        ("contacts", "uid", "CREATED"),
        ("invoices", "uid", "CREATED"),
        ("reviews", "uid", "CREATED"),
        ("calls", "uid", "STARTED"),
        ("deliveries", "id", "OPENED"),
    ] {
        let listed = json(&setup, &[list, "--limit", "100"]).await;
        assert_eq!(listed, lectern.get(&format!("/api/v1/{list}?limit=100")).await, "{list}");
        let first = listed[0][id].as_str().unwrap();
        let table = setup.run(&[list]).await;
        assert!(table.success && table.stdout.starts_with(heading), "{table:?}");
        assert!(table.stdout.lines().nth(1).unwrap().ends_with(first), "{table:?}");

        let whole = json(&setup, &[list, "show", first]).await;
        assert_eq!(whole, lectern.get(&format!("/api/v1/{list}/{first}")).await, "{list}");
        let lines = setup.run(&[list, "show", first]).await;
        assert!(lines.success && lines.stdout.contains(&format!("{id}: {first}\n")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_the_parameters_of_the_api_and_goes_on_for_as_long_as_is_wanted() {
    let setup = setup();
    let lectern = setup.start().await;
    sent(&setup, &lectern, &["message.*", "--count", "120", "--conversations", "7"]).await;
    let failed_messages = json(&setup, &["messages", "status=failed", "direction=outbound", "--all"]).await;
    let failed_messages = failed_messages.as_array().unwrap();
    assert_eq!(failed_messages.len(), 40);
    assert!(failed_messages.iter().all(|message| message["status"] == "failed"));
    assert_eq!(json(&setup, &["messages", "q=nothing of the kind"]).await, Value::Array(Vec::new()));

    let all = json(&setup, &["messages", "--all"]).await;
    assert_eq!(all.as_array().unwrap().len(), 120);
    assert_eq!(
        &all.as_array().unwrap()[..105],
        json(&setup, &["messages", "--limit", "105"]).await.as_array().unwrap()
    );
    let some = setup.run(&["messages"]).await;
    assert_eq!(some.stdout.lines().count(), 21, "{some:?}");
    assert_eq!(some.stderr, "There are more: --limit N or --all shows them.\n");
    assert_eq!(setup.run(&["messages", "--limit", "120"]).await.stderr, "");

    let unknown = setup.run(&["messages", "stauts=failed"]).await;
    failed(
        &unknown,
        &["unknown parameter \"stauts\": did you mean status?", "the parameters of this operation: "],
    );
    let wrong = setup.run(&["messages", "status=lost"]).await;
    failed(&wrong, &["status: \"lost\" is not one of received, sent, failed"]);
    failed(&setup.run(&["messages", "shwo", "x"]).await, &["a filter is a name and a value"]);
    failed(&setup.run(&["messages", "limit=5"]).await, &["use --limit"]);
    for uid in ["none", "../events", "a/b?c#d"] {
        failed(&setup.run(&["messages", "show", uid]).await, &["the mirror has nothing with this uid"]);
    }
}

#[tokio::test]
async fn who_can_not_be_asked_is_named_with_what_to_do() {
    let setup = setup();
    let address = setup.env.iter().find(|(name, _)| name == "LECTERN_INTERNAL_LISTEN").unwrap().1.clone();
    let away = setup.run(&["messages"]).await;
    failed(&away, &[&format!("http://{address} can't be reached (Connection refused"), "with --url"]);
    failed(&setup.run(&["tail"]).await, &["can't be reached"]);

    let lectern = setup.start().await;
    std::fs::write(setup.dir.path().join("token"), "not-the-right-one\n").unwrap();
    let refused = setup.run(&["messages", "--token-file", "token"]).await;
    failed(&refused, &["does not take the token from token: the token is not known"]);
    assert!(!refused.stderr.contains("not-the-right-one"));
    failed(&setup.run(&["tail", "--token-file", "token"]).await, &["does not take the token from token"]);
    let by_variable = setup.env.clone();
    let wrong = Setup { dir: setup.dir.clone(), env: by_variable }.env("LECTERN_API_TOKEN", "wrong");
    failed(&wrong.run(&["calls"]).await, &["does not take the token from LECTERN_API_TOKEN"]);

    let public = setup.run(&["events", "--url", &lectern.public]).await;
    failed(&public, &[&lectern.public, "(404): --url is the address of the internal listener"]);
    assert!(setup.run(&["events", "--url", &lectern.internal]).await.success);
    for url in ["localhost:8081", "http://user@localhost", "ftp://x"] {
        failed(&setup.run(&["events", "--url", url]).await, &["it must be an address such as https://"]);
    }
}

#[tokio::test]
async fn the_token_of_this_machine_is_used_here_and_sent_nowhere_else() {
    let setup = setup().without("LECTERN_API_TOKEN");
    failed(&setup.run(&["events"]).await, &["lectern-data/api-token is not there yet", "--token-file"]);
    let lectern = setup.start().await;
    assert_eq!(json(&setup, &["events"]).await, Value::Array(Vec::new()));
    let elsewhere = setup.run(&["events", "--url", &lectern.internal]).await;
    failed(&elsewhere, &["with --url goes the token of LECTERN_API_TOKEN or --token-file"]);
    let with_file = ["events", "--url", &lectern.internal, "--token-file", "lectern-data/api-token"];
    assert!(setup.run(&with_file).await.success);
}

#[tokio::test]
async fn what_customers_write_reaches_no_terminal_as_an_order() {
    let setup = setup();
    let lectern = setup.start().await;
    let body = r#"{"data":{"uid":"m","body":"\u001b[2Jnew\nline\u009b31m","conversation":{"uid":"c"},"contactName":"\u001b]0;x\u0007"},
        "metadata":{"eventType":"message.received","eventUid":"e"}}"#;
    std::fs::write(setup.dir.path().join("body.json"), body).unwrap();
    sent(&setup, &lectern, &["--file", "body.json"]).await;
    let event = json(&setup, &["events"]).await[0]["id"].as_str().unwrap().to_owned();
    for arguments in [
        &["messages"][..],
        &["messages", "--json"],
        &["messages", "show", "m"],
        &["messages", "show", "m", "--json"],
        &["conversations"],
        &["events", "include=payload", "--json"],
        &["events", "show", &event],
    ] {
        let shown = setup.run(arguments).await;
        assert!(shown.success && shown.stdout.contains("new"), "{shown:?}");
        assert!(!shown.stdout.contains(|c: char| c.is_control() && c != '\n'), "{arguments:?}: {shown:?}");
    }
}

/// A `lectern tail` that is being read.
struct Tail {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Tail {
    fn start(setup: &Setup, arguments: &[&str]) -> Self {
        let mut child = setup.command(&[&["tail"], arguments].concat()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    async fn line(&mut self) -> String {
        timeout(Duration::from_secs(60), self.stdout.next_line()).await.unwrap().unwrap().unwrap()
    }

    async fn note(&mut self) -> String {
        timeout(Duration::from_secs(60), self.stderr.next_line()).await.unwrap().unwrap().unwrap()
    }

    async fn interrupted(&mut self) -> Option<i32> {
        interrupt(&self.child);
        timeout(Duration::from_secs(60), self.child.wait()).await.unwrap().unwrap().code()
    }
}

fn interrupt(child: &Child) {
    let id = nix::unistd::Pid::from_raw(child.id().unwrap().try_into().unwrap());
    nix::sys::signal::kill(id, Signal::SIGINT).unwrap();
}

async fn posted(lectern: &Lectern, event_type: &str) -> String {
    let answer = lectern.post(&new_event(event_type, "c")).await;
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tail_shows_what_arrives_and_goes_on_after_a_restart_without_a_gap() {
    let setup = setup();
    let lectern = setup.start().await;
    let first = posted(&lectern, "call.missed").await;
    let mut tail = Tail::start(&setup, &["--since-start", "type=call.*"]);
    let line = tail.line().await;
    assert!(line.contains("call.missed") && line.ends_with(&first), "{line}");
    posted(&lectern, "message.received").await;
    let second = posted(&lectern, "call.completed").await;
    assert!(tail.line().await.ends_with(&second));

    assert!(lectern.stop().await.success());
    assert!(tail.note().await.contains("Events are shown again when it is back."));
    let lectern = setup.start().await;
    let third = posted(&lectern, "call.missed").await;
    assert!(tail.line().await.ends_with(&third));
    assert!(tail.note().await.ends_with("is back."));

    assert_eq!(tail.interrupted().await, Some(0));
    let note = tail.note().await;
    let after = note.strip_prefix("To go on from here: lectern tail --after ").unwrap();
    let fourth = posted(&lectern, "call.missed").await;
    let mut again = Tail::start(&setup, &["--after", after, "--json"]);
    let event: Value = serde_json::from_str(&again.line().await).unwrap();
    assert_eq!(event["id"], fourth.as_str());
}

#[tokio::test]
async fn a_tail_that_nobody_reads_ends_quietly() {
    let setup = setup();
    let lectern = setup.start().await;
    posted(&lectern, "call.missed").await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = setup.command(&["tail", "--since-start"]);
    let child = command.stdout(Stdio::from(writer)).spawn().unwrap();
    drop(command);
    let ended = timeout(Duration::from_secs(60), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[tokio::test]
async fn a_tail_that_can_not_be_says_why() {
    let setup = setup();
    let _lectern = setup.start().await;
    failed(&setup.run(&["tail", "typ=call.*"]).await, &["unknown parameter \"typ\": did you mean type?"]);
    failed(&setup.run(&["tail", "lastEventId=7"]).await, &["use --after"]);
}

#[tokio::test]
async fn the_mirror_is_made_anew_and_shows_the_same() {
    let setup = setup();
    let lectern = setup.start().await;
    sent(&setup, &lectern, &["--all"]).await;
    let all = async || {
        let mut all = Vec::new();
        for list in ["messages", "conversations", "contacts", "invoices", "reviews", "calls"] {
            all.push(json(&setup, &[list, "--all"]).await);
        }
        all
    };
    let before = all().await;
    let never = setup.run(&["rebuild", "--status"]).await;
    assert!(never.stdout.ends_with("made anew   never\n"), "{never:?}");

    let rebuilt = setup.run(&["rebuild"]).await;
    assert!(rebuilt.success, "{rebuilt:?}");
    assert_eq!(rebuilt.stdout, "The mirror is made anew.\nIt is made anew, from 26 events.\n");
    assert_eq!(rebuilt.stderr, "");
    assert_eq!(all().await, before);
    let status = json(&setup, &["rebuild", "--status"]).await;
    assert_eq!((&status["rebuild"]["done"], &status["rebuild"]["total"]), (&26.into(), &26.into()));
    assert!(status["rebuild"]["endedAt"].is_string(), "{status}");
    assert_eq!(status["rebuild"], lectern.get("/api/v1/mirror").await["rebuild"]);
}

#[tokio::test]
async fn what_gave_no_picture_is_listed_with_the_reason() {
    let setup = setup();
    let lectern = setup.start().await;
    let body = r#"{"data":"no message","metadata":{"eventType":"message.received","eventUid":"e"}}"#;
    std::fs::write(setup.dir.path().join("body.json"), body).unwrap();
    sent(&setup, &lectern, &["--file", "body.json"]).await;
    let skipped = json(&setup, &["rebuild", "--skipped"]).await;
    assert_eq!(skipped, lectern.get("/api/v1/mirror/skipped").await);
    let table = setup.run(&["rebuild", "--skipped"]).await;
    let event = skipped[0]["eventId"].as_str().unwrap();
    assert!(table.stdout.starts_with("EVENT") && table.stdout.contains(event), "{table:?}");
    failed(&setup.run(&["rebuild", "--json"]).await, &["--json goes with --status or --skipped"]);
}

#[tokio::test]
async fn a_rebuild_waits_for_a_server_and_goes_on_when_nobody_watches() {
    let setup = setup();
    let lectern = setup.start().await;
    sent(&setup, &lectern, &["--all"]).await;
    assert!(lectern.stop().await.success());
    let mut child = setup.command(&["rebuild"]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let note = timeout(Duration::from_secs(60), stderr.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(note, "No server has gone on with it for some seconds: it goes on when one runs.");
    interrupt(&child);
    let ended = timeout(Duration::from_secs(60), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(said.ends_with("It goes on. To see how far it is: lectern rebuild --status\n"), "{said}");

    let _lectern = setup.start().await;
    eventually("the mirror is made anew", async || {
        json(&setup, &["rebuild", "--status"]).await["rebuild"]["endedAt"].is_string().then_some(())
    })
    .await;
}
