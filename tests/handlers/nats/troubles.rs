//! Servers that are away, hang, or say no.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use serde_json::json;

use super::{Inbox, own_server};
use crate::brokers::{at_last, fresh, from_script, in_time, silent};
use crate::support::{handler, work};

const SHORT: Duration = Duration::from_millis(900);

#[tokio::test]
async fn a_subject_that_no_stream_takes_is_named() {
    let subject = fresh("nowhere.");
    let settings = json!({ "url": from_script("LECTERN_TEST_NATS_URL"), "subject": subject });

    let failure = in_time(&*handler("nats", settings), &work("{}")).await.unwrap_err();

    let reason = format!("no stream takes the subject `{subject}`: add it to the subjects of a stream");
    assert!(failure.reason.starts_with(&reason), "{failure:?}");
    assert!(!failure.permanent && !failure.timed_out);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_failure_and_one_that_is_back_gets_the_delivery() {
    let (mut server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    server.stop();
    let mut work = work("{}");
    let failure = in_time(&*handler, &work).await.unwrap_err();
    let expected = format!("NATS at 127.0.0.1:{} can't be reached: Connection refused", server.port);
    assert!(failure.reason.starts_with(&expected), "{failure:?}");
    assert!(!failure.permanent && !failure.timed_out);
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");

    server.start_again().await;
    at_last(&*handler, &mut work).await;
    assert_eq!(inbox.count().await, 2);
}

#[tokio::test]
async fn a_server_that_restarts_between_two_events_costs_no_attempt() {
    let (mut server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    server.stop();
    server.start_again().await;

    handler.handle(&work("{}")).await.unwrap();
    assert_eq!(inbox.count().await, 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let (server, _) = own_server().await;
    let url = format!("nats://lectern:hunter3@127.0.0.1:{}", server.port);
    let handler = handler("nats", json!({ "url": url, "subject": "podium" }));

    let failure = in_time(&*handler, &work("{}")).await.unwrap_err();

    let reason = format!("NATS at 127.0.0.1:{} refuses the password of the user `lectern`", server.port);
    assert!(failure.reason.starts_with(&reason), "{failure:?}");
    assert!(!failure.permanent);
    assert!(!format!("{failure:?}").contains("hunter"), "{failure:?}");
}

#[tokio::test]
async fn a_user_who_may_not_publish_is_told_at_once() {
    let (server, _) = own_server().await;
    let url = format!("nats://reader:hunter2@127.0.0.1:{}", server.port);
    let handler = handler("nats", json!({ "url": url, "subject": "podium.in" }));

    let failure = in_time(&*handler, &work("{}")).await.unwrap_err();

    assert!(failure.reason.contains("not publish to `podium.in`"), "{failure:?}");
    assert!(!failure.timed_out);
}

#[tokio::test]
async fn a_port_that_takes_connections_and_never_answers_costs_only_the_timeout() {
    let (_listener, port) = silent().await;
    let url = format!("nats://lectern:hunter2@127.0.0.1:{port}");
    let handler = handler("nats", json!({ "url": url, "subject": "podium" }));
    let mut work = work("{}");
    work.timeout = SHORT;

    let failure = in_time(&*handler, &work).await.unwrap_err();

    assert!(failure.timed_out && !failure.permanent, "{failure:?}");
    assert!(failure.reason.starts_with("no connection within 900ms"), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_costs_only_the_timeout_and_nothing_arrives_twice() {
    let (server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;
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
    assert_eq!(inbox.count().await, 2, "the server has read the first attempt when it goes on");
}

#[tokio::test]
async fn a_message_that_the_server_never_takes_is_given_up() {
    let (_server, url) = own_server().await;
    let inbox = Inbox::on(url, Config::default()).await;

    let failure = in_time(&*inbox.handler(), &work(vec![b'x'; 1 << 20])).await.unwrap_err();

    assert!(failure.permanent, "{failure:?}");
    assert!(failure.reason.contains("raise its `max_payload`"), "{failure:?}");
    assert_eq!(inbox.count().await, 0);
}

#[tokio::test]
async fn a_message_that_the_stream_never_takes_is_given_up() {
    let limits = Config { max_message_size: 1000, ..Config::default() };
    let inbox = Inbox::on(from_script("LECTERN_TEST_NATS_URL"), limits).await;

    let failure = in_time(&*inbox.handler(), &work(vec![b'x'; 2000])).await.unwrap_err();

    assert!(failure.permanent, "{failure:?}");
    assert!(failure.reason.contains("the stream takes no such message: "), "{failure:?}");
}

#[tokio::test]
async fn a_full_stream_is_a_failure_that_is_tried_again() {
    let limits = Config { max_messages: 1, discard: DiscardPolicy::New, ..Config::default() };
    let inbox = Inbox::on(from_script("LECTERN_TEST_NATS_URL"), limits).await;
    let handler = inbox.handler();
    handler.handle(&work("{}")).await.unwrap();

    let failure = in_time(&*handler, &work("{}")).await.unwrap_err();

    assert!(!failure.permanent && !failure.timed_out, "{failure:?}");
    assert!(failure.reason.contains("maximum messages exceeded"), "{failure:?}");
}
