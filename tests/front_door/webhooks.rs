//! What Podium gets to hear.

use std::time::Duration;

use lectern::podium::EventType;
use lectern::podium::samples;
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::events::new_event;
use crate::support::lectern::{Answer, SECRET, now_in_milliseconds};
use crate::support::on_both_stores;

on_both_stores! {
    async fn a_signed_event_is_accepted_stored_and_listed(setup) {
        let lectern = setup.start().await;
        let body = new_event("message.received", "conversation-1");
        let answer = lectern.post(&body).await;
        assert_eq!(answer.status, StatusCode::OK);
        let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.json(), json!({ "data": { "id": id, "status": "accepted" } }));

        let listed = lectern.get("/api/v1/events?type=message.*&conversationUid=conversation-1").await;
        assert_eq!(listed[0]["id"], id.as_str());
        assert_eq!(listed[0]["type"], "message.received");
        assert_eq!(listed[0]["source"], "default");
        let stored = lectern.api(reqwest::Method::GET, &format!("/api/v1/events/{id}/body")).await;
        assert_eq!(stored.bytes, body);
    }

    async fn an_event_that_comes_again_is_a_duplicate_of_the_first(setup) {
        let lectern = setup.start().await;
        let body = new_event("message.failed", "conversation-1");
        let first = lectern.post(&body).await.json();
        for _ in 0..3 {
            let again = lectern.post(&body).await;
            assert_eq!(again.status, StatusCode::OK);
            assert_eq!(again.json()["data"], json!({ "id": first["data"]["id"], "status": "duplicate" }));
        }
        let id = first["data"]["id"].as_str().unwrap();
        assert_eq!(lectern.get(&format!("/api/v1/events/{id}/deliveries")).await.as_array().unwrap().len(), 1);
    }

    async fn simultaneous_attempts_of_one_event_give_one_event(setup) {
        let lectern = setup.start().await;
        let body = new_event("message.failed", "conversation-1");
        let answers = futures_util::future::join_all((0..16).map(|_| lectern.post(&body))).await;
        let status = |answer: &Answer| answer.json()["data"]["status"].as_str().unwrap().to_owned();
        let accepted = answers.iter().filter(|answer| status(answer) == "accepted").count();
        assert_eq!(accepted, 1);
        assert!(answers.iter().all(|answer| answer.json()["data"]["id"] == answers[0].json()["data"]["id"]));
        assert_eq!(lectern.get("/api/v1/events").await.as_array().unwrap().len(), 1);
    }

    async fn every_event_type_is_accepted_and_understood(setup) {
        let lectern = setup.start().await;
        for event_type in EventType::ALL {
            let answer = lectern.post(samples::body(event_type).unwrap().as_bytes()).await;
            assert_eq!(answer.json()["data"]["status"], "accepted", "{event_type}");
        }
        let mut seen = Vec::new();
        for event in lectern.get("/api/v1/events?limit=100&include=payload").await.as_array().unwrap() {
            assert_eq!(event["decodeError"], json!(null), "{event}");
            assert!(event["payload"].is_object(), "{event}");
            seen.push(event["type"].as_str().unwrap().to_owned());
        }
        seen.reverse();
        let sent: Vec<_> = EventType::ALL.iter().map(|event_type| event_type.as_str().to_owned()).collect();
        assert_eq!(seen, sent);
    }

    async fn whatever_is_signed_is_accepted_and_kept_byte_for_byte(setup) {
        let lectern = setup.start().await;
        let nested = format!(r#"{{"data":{}{},"metadata":{{"eventType":"message.sent","eventUid":"deep"}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        let bodies: [(&[u8], &str); 10] = [
            (samples::SEND_TEST.as_bytes(), "webhook.test"),
            (br#"{"data":{"a":1},"metadata":{"eventType":"loyalty.earned","eventUid":"new"}}"#, "loyalty.earned"),
            (b"this is no JSON", "unknown"),
            (b"", "unknown"),
            (b"\xff\xfe\x00 not UTF-8", "unknown"),
            (b"[1, 2, 3]", "unknown"),
            (br#"{"data":{"items":"none"},"metadata":{"event_type":"message.sent","event_uid":"odd"}}"#, "message.sent"),
            (br#"{"data":null,"metadata":{"eventType":"invoice.created"}}"#, "invoice.created"),
            (br#"{"data":{},"metadata":{"eventType":"a\u0000b","eventUid":"c\u0000d"}}"#, "unknown"),
            (nested.as_bytes(), "message.sent"),
        ];
        for (body, event_type) in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let answer = lectern.post(body).await;
            assert_eq!(answer.status, StatusCode::OK, "{shown}");
            assert_eq!(answer.json()["data"]["status"], "accepted", "{shown}");
            let path = format!("/api/v1/events/{}", answer.json()["data"]["id"].as_str().unwrap());
            // As text: what is nested 10,000 deep is no reading for a test.
            let event = lectern.api(reqwest::Method::GET, &path).await;
            let event = String::from_utf8(event.bytes).unwrap();
            assert!(event.contains(&format!(r#""type":"{event_type}""#)), "{shown}: {}", &event[..event.len().min(300)]);
            let kept = lectern.api(reqwest::Method::GET, &format!("{path}/body")).await;
            assert_eq!(kept.bytes, body, "{shown}");
            assert_eq!(lectern.get(&format!("{path}/deliveries")).await.as_array().unwrap().len(), 1, "{shown}");
        }
    }

    async fn what_is_not_signed_as_it_should_be_is_refused_with_the_reason(setup) {
        let lectern = setup.start().await;
        let body = new_event("message.received", "conversation-1");
        let now = now_in_milliseconds();
        let milliseconds: i64 = now.parse().unwrap();
        let day = 24 * 3600 * 1000;
        let signed = |timestamp: &str| lectern.signed("/webhooks/podium", SECRET, timestamp, &body);
        let url = format!("{}/webhooks/podium", lectern.public);
        let bare = || lectern.http.post(&url).body(body.clone());
        let cases = [
            ("signature_missing", bare().header("podium-timestamp", &now)),
            ("signature_malformed", bare().header("podium-timestamp", &now).header("podium-signature", "sha256=abc")),
            ("signature_mismatch", bare().header("podium-timestamp", &now).header("podium-signature", "0".repeat(64))),
            ("signature_mismatch", lectern.signed("/webhooks/podium", "another-secret", &now, &body)),
            ("signature_mismatch", signed(&now).body("another body")),
            ("timestamp_missing", bare().header("podium-signature", "0".repeat(64))),
            ("timestamp_malformed", signed("yesterday")),
            ("timestamp_malformed", signed("")),
            ("timestamp_malformed", signed("99999999999999999999")),
            ("timestamp_too_old", signed(&(milliseconds / 1000).to_string())),
            ("timestamp_too_old", signed(&(milliseconds - 11 * day - 60_000).to_string())),
            ("timestamp_in_future", signed(&(milliseconds + 6 * 60_000).to_string())),
        ];
        for (code, request) in cases {
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{code}");
            assert_eq!(answer.code(), code);
        }
        assert_eq!(lectern.get("/api/v1/events").await, json!([]));
        // Within the window, at both ends.
        let old = Answer::of(signed(&(milliseconds - 11 * day + 60_000).to_string())).await;
        assert_eq!(old.json()["data"]["status"], "accepted");
        let early = Answer::of(signed(&(milliseconds + 4 * 60_000).to_string())).await;
        assert_eq!(early.json()["data"]["status"], "duplicate");
    }

    async fn the_rest_of_the_answers_are_as_promised(setup) {
        let lectern = setup.start().await;
        let now = now_in_milliseconds();
        let unknown = Answer::of(lectern.signed("/webhooks/podium/nobody", SECRET, &now, b"{}")).await;
        assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "unknown_source"));

        let slash = Answer::of(lectern.signed("/webhooks/podium/", SECRET, &now, b"{}")).await;
        assert_eq!(slash.status, StatusCode::OK);

        let fits = vec![b' '; 1024 * 1024];
        assert_eq!(lectern.post(&fits).await.status, StatusCode::OK);
        let too_large = lectern.post(&vec![b' '; 1024 * 1024 + 1]).await;
        assert_eq!((too_large.status, too_large.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));

        let get = Answer::of(lectern.http.get(format!("{}/webhooks/podium", lectern.public))).await;
        assert_eq!((get.status, get.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
        assert_eq!(get.headers["allow"], "POST");

        let nowhere = Answer::of(lectern.http.get(format!("{}/api/v1/events", lectern.public))).await;
        assert_eq!((nowhere.status, nowhere.code().as_str()), (StatusCode::NOT_FOUND, "route_not_found"));
        for path in ["/healthz", "/readyz"] {
            assert_eq!(Answer::of(lectern.http.get(format!("{}{path}", lectern.public))).await.status, StatusCode::OK);
        }
    }

    async fn sources_have_secrets_of_their_own_and_may_have_a_previous_one(setup) {
        let setup = setup.config(r#"
            [sources.branch]
            secret = "the-secret-of-the-branch"
            previous_secret = "the-one-before"
            [sources.open]
            allow_unsigned = true
        "#);
        let lectern = setup.start().await;
        let now = now_in_milliseconds();
        for (number, (secret, name)) in [("the-secret-of-the-branch", "current"), ("the-one-before", "previous")].into_iter().enumerate() {
            let body = format!(r#"{{"data":{{}},"metadata":{{"eventUid":"{number}"}}}}"#);
            let answer = Answer::of(lectern.signed("/webhooks/podium/branch", secret, &now, body.as_bytes())).await;
            let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
            let event = lectern.get(&format!("/api/v1/events/{id}")).await;
            assert_eq!((&event["source"], &event["verifiedBy"]), (&json!("branch"), &json!(name)));
        }
        let foreign = Answer::of(lectern.signed("/webhooks/podium/branch", SECRET, &now, b"{}")).await;
        assert_eq!(foreign.code(), "signature_mismatch");
        let unsigned = lectern.http.post(format!("{}/webhooks/podium/open", lectern.public)).body("{}");
        assert_eq!(Answer::of(unsigned).await.status, StatusCode::OK);
        assert!(lectern.log().contains("accepts requests without a signature"));
        // It has no secret to verify with: Podium may sign already.
        let signed = lectern.signed("/webhooks/podium/open", "not-configured-yet", &now, b"{\"data\":1}");
        assert_eq!(Answer::of(signed).await.status, StatusCode::OK);
        // The same event by another source is another event: sources can't silence one another.
        let unsigned = lectern.http.post(format!("{}/webhooks/podium/open", lectern.public)).body(r#"{"data":{},"metadata":{"eventUid":"0"}}"#);
        assert_eq!(Answer::of(unsigned).await.json()["data"]["status"], "accepted");
    }

    async fn a_body_without_a_length_is_read_up_to_the_limit(setup) {
        let lectern = setup.start().await;
        let mut socket = tokio::net::TcpStream::connect(lectern.public.strip_prefix("http://").unwrap()).await.unwrap();
        socket.write_all(b"POST /webhooks/podium HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        let mut answer = Vec::new();
        let (mut reading, mut writing) = socket.split();
        let write = async {
            // The server may hang up before the end: that is the point.
            for _ in 0..100 {
                if writing.write_all(&chunk).await.is_err() {
                    break;
                }
            }
        };
        let read = async {
            let mut buffer = [0; 1024];
            while let Ok(count) = reading.read(&mut buffer).await {
                if count == 0 {
                    break;
                }
                answer.extend_from_slice(&buffer[..count]);
            }
        };
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(write, read) }).await.expect("it ends");
        assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    }
}
