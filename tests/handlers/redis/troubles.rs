//! Servers that are away, hang, or say no.

use std::time::Duration;

use serde_json::json;

use super::{Inbox, own_server};
use crate::brokers::{at_last, in_time, silent};
use crate::support::{handler, work};

const SHORT: Duration = Duration::from_millis(900);

#[tokio::test]
async fn a_server_that_is_away_is_a_failure_and_one_that_is_back_gets_the_delivery() {
    let (mut server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    server.stop();
    let mut work = work("{}");
    let failure = in_time(&*handler, &work).await.unwrap_err();
    let expected = format!("Redis at 127.0.0.1:{} can't be reached: Connection refused", server.port);
    assert!(failure.reason.starts_with(&expected), "{failure:?}");
    assert!(!failure.permanent && !failure.timed_out);
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");

    server.start_again().await;
    at_last(&*handler, &mut work).await;
    assert_eq!(inbox.entries().await.len(), 2);
}

#[tokio::test]
async fn a_server_that_restarts_between_two_events_costs_no_attempt() {
    let (mut server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    server.stop();
    server.start_again().await;

    handler.handle(&work("{}")).await.unwrap();
    assert_eq!(inbox.entries().await.len(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let (server, _) = own_server().await;
    for url in [
        format!("redis://:hunter3@127.0.0.1:{}", server.port),
        format!("redis://somebody:hunter3@127.0.0.1:{}", server.port),
        format!("redis://127.0.0.1:{}", server.port),
    ] {
        let handler = handler("redis", json!({ "url": url, "stream": "podium" }));
        let failure = in_time(&*handler, &work("{}")).await.unwrap_err();
        assert!(failure.reason.contains("the server refuses the user or the password"), "{failure:?}");
        assert!(!failure.permanent);
        assert!(!format!("{failure:?}").contains("hunter"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_port_that_takes_connections_and_never_answers_costs_only_the_timeout() {
    let (_listener, port) = silent().await;
    let url = format!("redis://:hunter2@127.0.0.1:{port}");
    let handler = handler("redis", json!({ "url": url, "stream": "podium" }));
    let mut work = work("{}");
    work.timeout = SHORT;

    let failure = in_time(&*handler, &work).await.unwrap_err();

    assert!(failure.timed_out && !failure.permanent, "{failure:?}");
    assert!(failure.reason.starts_with("no connection within 900ms"), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_costs_only_the_timeout() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    server.freeze();
    let mut work = work("{}");
    work.timeout = SHORT;
    let failure = in_time(&*handler, &work).await.unwrap_err();
    assert!(failure.timed_out && !failure.permanent, "{failure:?}");
    assert_eq!(failure.reason, "no confirmation within 900ms");

    server.thaw();
    work.timeout = Duration::from_secs(20);
    at_last(&*handler, &mut work).await;
}

#[tokio::test]
async fn a_key_that_is_no_stream_is_named() {
    let inbox = Inbox::new();
    inbox.ask::<String>(&["SET", &inbox.stream, "text"]).await;

    let failure = in_time(&*inbox.handler(), &work("{}")).await.unwrap_err();

    let expected = format!("the key `{}` holds something else than a stream", inbox.stream);
    assert!(failure.reason.starts_with(&expected), "{failure:?}");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn a_full_memory_is_a_failure_that_is_tried_again() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url);
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();
    inbox.ask::<String>(&["CONFIG", "SET", "maxmemory", "1"]).await;

    let failure = in_time(&*handler, &work("{}")).await.unwrap_err();
    assert!(failure.reason.starts_with("the server's memory is full: raise its `maxmemory`"), "{failure:?}");
    assert!(!failure.permanent);

    inbox.ask::<String>(&["CONFIG", "SET", "maxmemory", "0"]).await;
    handler.handle(&work("{}")).await.unwrap();
    assert_eq!(inbox.entries().await.len(), 2);
}

#[tokio::test]
async fn a_user_who_may_not_add_is_told() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url);
    inbox
        .ask::<String>(&["ACL", "SETUSER", "reader", "on", ">hunter2", "~*", "+@read", "+@connection"])
        .await;
    let url = format!("redis://reader:hunter2@127.0.0.1:{}", server.port);
    let handler = handler("redis", json!({ "url": url, "stream": "podium" }));

    let failure = in_time(&*handler, &work("{}")).await.unwrap_err();

    assert!(failure.reason.starts_with("the server lets this user not add to `podium`"), "{failure:?}");
}

#[tokio::test]
async fn a_replica_is_told() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url);
    inbox.ask::<String>(&["REPLICAOF", "127.0.0.1", "1"]).await;

    let failure = in_time(&*inbox.handler(), &work("{}")).await.unwrap_err();

    assert_eq!(failure.reason, "the server is a replica: `url` must lead to the primary");
}

#[tokio::test]
async fn an_entry_that_the_server_never_takes_is_given_up() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url);
    inbox.ask::<String>(&["CONFIG", "SET", "proto-max-bulk-len", "1mb"]).await;

    // The server says it and hangs up in the middle of the entry: the system may throw its word away with the connection. Then
    // it is tried again, as after any loss, until the word comes through.
    let (handler, work) = (inbox.handler(), work(vec![b'x'; (1 << 20) + 1]));
    let mut failure = in_time(&*handler, &work).await.unwrap_err();
    for _ in 0..100 {
        if failure.permanent {
            break;
        }
        assert!(failure.reason.starts_with("the connection was lost"), "{failure:?}");
        failure = in_time(&*handler, &work).await.unwrap_err();
    }

    assert!(failure.permanent, "{failure:?}");
    assert!(failure.reason.contains("raise its `proto-max-bulk-len`"), "{failure:?}");
}
