//! What the tests share: a sender who signs by its own rules, and a source with several secrets.

mod body;
mod headers;
mod properties;
mod secret;
mod well;
mod window;

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::*;
use crate::model::Header;
use crate::podium::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

const SECRET: &str = "something-no-one-will-know";
const PREVIOUS: &str = "whsec_bm90LXNvLXNlY3JldA==";
const EXPIRED: &str = "worn-out-years-ago";
const NORTH: &str = "of-the-north-wind";
const BY_HAND: &str = "found-in-a-drawer";
const HEX: &str = "6c65637465726e2d646f63746f72";
const WITH_SPACES: &str = "  copied-with-spaces ";

const TIMESTAMP: &str = "1620771659663";
const BODY: &str =
    r#"{"data":{"bar":"apples","foo":"1"},"metadata":{"event_type":"test.event","version":"2021.04.01"}}"#;

fn candidates() -> Vec<Candidate> {
    [
        (Some("north"), "current", NORTH, false),
        (None, "drawer.txt", BY_HAND, false),
        (Some("default"), "old", EXPIRED, true),
        (Some("default"), "current", SECRET, false),
        (Some("default"), "previous", PREVIOUS, false),
        (Some("default"), "hex", HEX, false),
        (Some("default"), "spaces", WITH_SPACES, false),
    ]
    .map(|(source, name, value, expired)| Candidate {
        source: source.map(str::to_owned),
        name: name.to_owned(),
        value: value.into(),
        expired,
    })
    .into()
}

const WINDOW: Window =
    Window { max_age: Duration::from_secs(11 * 86_400), max_future: Duration::from_secs(5 * 60) };

fn rules(secrets: &[Candidate]) -> Rules<'_> {
    Rules { source: "default", secrets, allow_unsigned: false, window: WINDOW }
}

fn received_at() -> Timestamp {
    "2021-05-11T22:21:00Z".parse().unwrap()
}

fn hmac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().into()
}

/// The signature that Podium makes.
fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    hex::encode(hmac(secret.as_bytes(), &[timestamp.as_bytes(), b".", body].concat()))
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

fn signed(timestamp: &str, signature: &str) -> Vec<Header> {
    vec![header(TIMESTAMP_HEADER, timestamp), header(SIGNATURE_HEADER, signature)]
}

/// Examines a request by the rules of the source `default`, and sees to what holds for every diagnosis.
fn diagnosed(headers: &[Header], body: &[u8]) -> Diagnosis {
    diagnosed_with(&candidates(), headers, body)
}

/// The same with these secrets: the fewer there are, the sooner it is certain that nothing fits.
fn diagnosed_with(secrets: &[Candidate], headers: &[Header], body: &[u8]) -> Diagnosis {
    let diagnosis = examine(&Examined { headers, body, received_at: received_at() }, &rules(secrets));
    assert_sound(&diagnosis, headers, body, secrets);
    diagnosis
}

/// The current secret and no other.
fn only_current() -> Vec<Candidate> {
    candidates()
        .into_iter()
        .filter(|secret| secret.described().contains("`current` of the source `default`"))
        .collect()
}

fn assert_sound(diagnosis: &Diagnosis, headers: &[Header], body: &[u8], secrets: &[Candidate]) {
    use secrecy::ExposeSecret as _;

    assert_eq!(diagnosis.accepted(), diagnosis.findings().next().is_none(), "{diagnosis:?}");
    let shown = format!("{diagnosis:?} {}", serde_json::to_string(diagnosis).unwrap());
    for secret in secrets {
        let secret = secret.value.expose_secret();
        assert!(!shown.contains(secret.trim()), "{shown}");
        for timestamp in headers.iter().map(|header| header.value.as_str()).chain([TIMESTAMP]) {
            assert!(!shown.contains(&signature(secret, timestamp, body)), "{shown}");
        }
    }
    for header in headers.iter().filter(|header| header.name.contains("signature") && header.value.len() > 20)
    {
        assert!(!shown.contains(&header.value), "{shown}");
    }
}

fn codes(headers: &[Header], body: &[u8]) -> Vec<Code> {
    diagnosed(headers, body).findings().map(|finding| finding.code).collect()
}

/// What is found when this was signed, with the current secret and sent with the right headers.
fn codes_of_message(message: impl AsRef<[u8]>) -> Vec<Code> {
    let signature = hex::encode(hmac(SECRET.as_bytes(), message.as_ref()));
    codes(&signed(TIMESTAMP, &signature), BODY.as_bytes())
}
