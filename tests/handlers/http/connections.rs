//! Receivers that behave badly.

use std::future::Future;
use std::time::Duration;

use lectern::handlers::{Failure, Success};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{MARGIN, handler, work};

/// Far more than anything here may take.
const LONG: Duration = Duration::from_secs(15);

/// A receiver of one connection that does as told once it has read a request.
async fn receiver<D, F>(deed: D) -> (String, JoinHandle<()>)
where
    D: FnOnce(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hidden?token=abc", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n{}") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request is whole");
        }
        deed(stream).await;
    });
    (url, task)
}

/// Returns when the other side has closed the connection.
async fn closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (url, receiver) = receiver(async |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let handler = handler("http", json!({ "url": url }));

    let done = timeout(LONG, handler.handle(&work("{}"))).await.unwrap().unwrap();

    assert_eq!(done, Success { status: Some(200), output: Some("x".repeat(2048)) });
    timeout(LONG, receiver).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_its_status_is_done() {
    let (url, receiver) = receiver(async |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe begin").await.unwrap();
    })
    .await;

    let done = handler("http", json!({ "url": url })).handle(&work("{}")).await.unwrap();

    assert_eq!(done, Success { status: Some(200), output: Some("the begin".to_owned()) });
    receiver.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_stalls_after_its_status_is_done_in_time() {
    let (url, receiver) = receiver(async |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe begin").await.unwrap();
        closed(stream).await;
    })
    .await;
    let mut work = work("{}");
    work.timeout = Duration::from_millis(900);
    let handler = handler("http", json!({ "url": url }));

    let done = timeout(work.timeout + MARGIN, handler.handle(&work)).await.expect("in time").unwrap();

    assert_eq!(done, Success { status: Some(200), output: Some("the begin".to_owned()) });
    timeout(LONG, receiver).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_given_up() {
    let (url, receiver) = receiver(closed).await;
    let mut work = work("{}");
    work.timeout = Duration::from_millis(900);
    let handler = handler("http", json!({ "url": url }));

    let failure = timeout(work.timeout + MARGIN, handler.handle(&work)).await.expect("in time").unwrap_err();

    assert_eq!(failure, Failure::timed_out("no answer within 900ms"));
    timeout(LONG, receiver).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection() {
    let (read, mut has_read) = oneshot::channel();
    let (url, receiver) = receiver(async |stream| {
        read.send(()).unwrap();
        closed(stream).await;
    })
    .await;
    let handler = handler("http", json!({ "url": url }));
    let work = work("{}");

    tokio::select! {
        outcome = handler.handle(&work) => panic!("no answer will ever come: {outcome:?}"),
        read = timeout(LONG, &mut has_read) => read.expect("the request arrives").unwrap(),
    }

    timeout(LONG, receiver).await.expect("the connection is closed").unwrap();
}

#[tokio::test]
async fn a_refused_connection_says_so_and_keeps_the_address_to_itself() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let url = format!("http://user:hunter2@{address}/hidden?token=abc");

    let failure = handler("http", json!({ "url": url })).handle(&work("{}")).await.unwrap_err();

    assert!(failure.reason.contains("Connection refused"), "{failure:?}");
    assert!(!failure.permanent);
    assert_eq!(failure.status, None);
    for secret in ["hunter2", "hidden", "abc"] {
        assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_a_failure() {
    let (url, receiver) = receiver(async |stream| drop(stream)).await;

    let failure = handler("http", json!({ "url": url })).handle(&work("{}")).await.unwrap_err();

    assert!(failure.reason.starts_with("error sending request: "), "{failure:?}");
    assert!(!failure.reason.contains("hidden"), "{failure:?}");
    receiver.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_failure() {
    let (url, receiver) = receiver(async |mut stream| {
        stream.write_all(b"220 smtp.example.org ready\r\n").await.unwrap();
        closed(stream).await;
    })
    .await;

    let failure = handler("http", json!({ "url": url })).handle(&work("{}")).await.unwrap_err();

    assert!(failure.reason.contains("invalid HTTP"), "{failure:?}");
    receiver.await.unwrap();
}
