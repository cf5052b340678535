//! Anything can arrive. Whatever it is, the answer is one that was promised, nothing breaks, and nothing is lost.

use std::collections::HashSet;
use std::time::Duration;

use lectern::podium::{EventType, SigningKey, samples};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::lectern::{Lectern, SECRET, now_in_milliseconds};
use crate::support::on_both_stores;
use crate::support::patience::within;

/// On each of the two stores: 100,000 together, with the raw ones.
const REQUESTS: usize = 48_000;
const RAW_REQUESTS: usize = 2_000;
const SENDERS: usize = 16;

on_both_stores! {
    async fn a_hundred_thousand_hostile_requests_get_the_promised_answers(setup) {
        let lectern = setup.start().await;
        let senders = (0..SENDERS).map(|_| send_hostile(&lectern, REQUESTS / SENDERS));
        let accepted: Vec<HashSet<String>> = futures_util::future::join_all(senders).await;
        let raw = (0..SENDERS).map(|_| send_raw(&lectern, RAW_REQUESTS / SENDERS));
        futures_util::future::join_all(raw).await;

        let mut listed = HashSet::new();
        let mut path = "/api/v1/events?limit=100".to_owned();
        loop {
            let page = lectern.api(reqwest::Method::GET, &path).await.json();
            listed.extend(page["data"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["metadata"]["nextCursor"].as_str() else { break };
            path = format!("/api/v1/events?cursor={cursor}");
        }
        let accepted: HashSet<String> = accepted.into_iter().flatten().collect();
        assert!(accepted.len() > REQUESTS / 10, "only {} were accepted", accepted.len());
        assert_eq!(listed, accepted);
        within(Duration::from_secs(600), "all is delivered", async || {
            lectern.get("/api/v1/deliveries?state=pending").await.as_array().unwrap().is_empty().then_some(())
        }).await;
        assert_eq!(lectern.get("/api/v1/deliveries?state=dead").await.as_array().unwrap().len(), 0);
        assert!(!lectern.log().contains("panicked"), "{}", lectern.log());
    }
}

/// What one request is made of, and so what must be answered.
#[derive(Clone, Debug)]
struct Hostile {
    method: &'static str,
    path: String,
    body: Vec<u8>,
    signature: SignatureHeader,
    timestamp: TimestampHeader,
    more: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Debug)]
enum SignatureHeader {
    Right,
    Wrong(String),
    Missing,
}

#[derive(Clone, Debug)]
enum TimestampHeader {
    Now,
    Wrong(String),
    Missing,
}

fn is_of_these_years(milliseconds: &str) -> bool {
    milliseconds.parse().is_ok_and(|at: u64| (1_700_000_000_000..4_000_000_000_000).contains(&at))
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let method = prop_oneof![20 => Just("POST"), 1 => prop::sample::select(vec!["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])];
    let path = prop_oneof![
        12 => Just("/webhooks/podium".to_owned()),
        3 => Just("/webhooks/podium/default".to_owned()),
        1 => "/webhooks/podium/no-[a-z%0-9.]{1,20}".prop_map(|path| path.replace('%', "%ff")),
    ];
    let signature = prop_oneof![
        6 => Just(SignatureHeader::Right),
        1 => "[0-9a-fA-F]{64}".prop_map(SignatureHeader::Wrong),
        1 => "[ -~]{0,80}".prop_map(SignatureHeader::Wrong),
        1 => Just(SignatureHeader::Missing),
    ];
    let timestamp = prop_oneof![
        8 => Just(TimestampHeader::Now),
        // A few of these would be good ones, of a moment within the window.
        1 => "[0-9]{1,25}".prop_filter("a moment of these years", |text| !is_of_these_years(text)).prop_map(TimestampHeader::Wrong),
        1 => "[ -~]{0,30}".prop_map(TimestampHeader::Wrong),
        1 => Just(TimestampHeader::Missing),
    ];
    let more = prop::collection::vec(("x-[a-z]{1,10}", prop::collection::vec(0x20_u8..=0xff, 0..40)), 0..4);
    (method, path, body(), signature, timestamp, more).prop_map(
        |(method, path, body, signature, timestamp, more)| Hostile {
            method,
            path,
            body,
            signature,
            timestamp,
            more,
        },
    )
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let sample = || {
        prop::sample::select(EventType::ALL.to_vec()).prop_map(|event_type| {
            samples::body(&event_type).expect("each type has a sample").as_bytes().to_vec()
        })
    };
    prop_oneof![
        // A sample with some of its bytes exchanged, removed or doubled.
        20 => (sample(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..8)).prop_map(|(mut body, edits)| {
            for (at, byte, what) in edits {
                let at = at.index(body.len());
                match what {
                    0 => body[at] = byte,
                    1 => drop(body.remove(at)),
                    _ => body.insert(at, byte),
                }
            }
            body
        }),
        // A sample that ends too soon.
        5 => (sample(), any::<prop::sample::Index>()).prop_map(|(mut body, at)| { body.truncate(at.index(body.len())); body }),
        5 => prop::collection::vec(any::<u8>(), 0..2000),
        // Known fields with values of any kind.
        10 => (field(), field(), field(), field()).prop_map(|(uid, event_type, conversation, items)| format!(
            r#"{{"data":{{"uid":{uid},"conversation":{{"uid":{conversation}}},"items":{items}}},"metadata":{{"eventUid":{uid},"eventType":{event_type}}}}}"#
        ).into_bytes()),
        1 => (prop::sample::select(vec![("[", "]"), (r#"{"a":"#, "}")]), 1_usize..12_000).prop_map(|((open, close), depth)| format!(
            r#"{{"data":{}1{},"metadata":{{"eventType":"message.sent"}}}}"#, open.repeat(depth), close.repeat(depth)
        ).into_bytes()),
    ]
}

/// A JSON value of any kind.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => prop::sample::select(EventType::ALL.to_vec()).prop_map(|event_type| format!("\"{event_type}\"")),
        1 => "[a-z]{200,400}".prop_map(|text| format!("\"{text}\"")),
        1 => Just(r#""\u0000""#.to_owned()),
        1 => any::<f64>().prop_map(|number| serde_json::Value::from(number).to_string()),
        1 => Just("null".to_owned()),
        1 => Just("[]".to_owned()),
        1 => Just("{}".to_owned()),
        1 => Just("1e999".to_owned()),
    ]
}

async fn send_hostile(lectern: &Lectern, count: usize) -> HashSet<String> {
    let mut runner = TestRunner::default();
    let strategy = hostile();
    let mut accepted = HashSet::new();
    for _ in 0..count {
        let hostile = strategy.new_tree(&mut runner).expect("a request can be made up").current();
        let now = now_in_milliseconds();
        let (request, expected) = request(lectern, &hostile, &now);
        let mut response = answer_to(&request).await;
        // A disk that stalls for seconds is a store that is away: as Podium would, send it again.
        for _ in 0..5 {
            if expected != 200 || response.status() != 503 {
                break;
            }
            response = answer_to(&request).await;
        }
        let status = response.status().as_u16();
        assert_eq!(status, expected, "{hostile:?}");
        let answer = response.bytes().await.expect("a whole answer");
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
        if status == 200 {
            accepted.insert(answer["data"]["id"].as_str().expect("an id").to_owned());
        } else {
            assert!(answer["code"].is_string(), "{answer}");
        }
    }
    accepted
}

async fn answer_to(request: &reqwest::RequestBuilder) -> reqwest::Response {
    let request = request.try_clone().expect("a body of bytes can be sent twice");
    timeout(Duration::from_secs(5), request.send()).await.expect("an answer in time").expect("an answer")
}

fn request(lectern: &Lectern, hostile: &Hostile, now: &str) -> (reqwest::RequestBuilder, u16) {
    let method = hostile.method.parse().expect("a method");
    let mut request = lectern
        .http
        .request(method, format!("{}{}", lectern.public, hostile.path))
        .body(hostile.body.clone());
    for (name, value) in &hostile.more {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
            request = request.header(name, value);
        }
    }
    let timestamp = match &hostile.timestamp {
        TimestampHeader::Now => Some(now.to_owned()),
        TimestampHeader::Wrong(text) => Some(text.trim().to_owned()),
        TimestampHeader::Missing => None,
    };
    let signature = match &hostile.signature {
        SignatureHeader::Right => Some(
            SigningKey::new(SECRET)
                .sign(timestamp.clone().unwrap_or_default().as_bytes(), &hostile.body)
                .to_string(),
        ),
        SignatureHeader::Wrong(text) => Some(text.clone()),
        SignatureHeader::Missing => None,
    };
    if let Some(timestamp) = timestamp {
        request = request.header("podium-timestamp", timestamp);
    }
    if let Some(signature) = signature {
        request = request.header("podium-signature", signature);
    }
    let known = matches!(hostile.path.as_str(), "/webhooks/podium" | "/webhooks/podium/default");
    let signed =
        matches!((&hostile.signature, &hostile.timestamp), (SignatureHeader::Right, TimestampHeader::Now));
    let expected = match (hostile.method, known, signed) {
        ("POST", true, true) => 200,
        ("POST", true, false) => 401,
        ("POST", false, _) => 404,
        _ => 405,
    };
    (request, expected)
}

/// Sends what is hardly HTTP: the server may answer with an error or hang up, but not hang.
async fn send_raw(lectern: &Lectern, count: usize) {
    let mut runner = TestRunner::default();
    let whole = b"POST /webhooks/podium HTTP/1.1\r\nhost: x\r\npodium-timestamp: 1\r\npodium-signature: 00\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    let strategy = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..500),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6).prop_map(move |edits| {
            let mut request = whole.clone();
            for (at, byte) in edits {
                let at = at.index(request.len());
                request[at] = byte;
            }
            request
        }),
    ];
    for _ in 0..count {
        let bytes = strategy.new_tree(&mut runner).expect("bytes can be made up").current();
        let exchange = async {
            let mut socket =
                TcpStream::connect(lectern.public.strip_prefix("http://").expect("a URL")).await?;
            socket.write_all(&bytes).await?;
            // No more will come: whatever the server still waits for, it must not wait for ever.
            socket.shutdown().await?;
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        // An error of the connection is the server hanging up.
        if let Ok(answer) = timeout(Duration::from_secs(10), exchange).await.expect("an end in time") {
            let ok =
                answer.is_empty() || answer.starts_with(b"HTTP/1.1 4") || answer.starts_with(b"HTTP/1.0 4");
            assert!(ok, "{:?} to {:?}", String::from_utf8_lossy(&answer), String::from_utf8_lossy(&bytes));
        }
    }
}
