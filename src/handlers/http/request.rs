//! The headers of a request.

use std::fmt::Write as _;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use super::signature::Signer;
use crate::handlers::{Outgoing, Work};
use crate::telemetry::traces;

/// The configured headers and our own.
pub(super) fn headers(
    configured: &HeaderMap,
    signer: Option<&Signer>,
    work: &Work,
    body: &Outgoing<'_>,
) -> HeaderMap {
    let id = work.event.id.to_string();
    let timestamp = work.started_at.as_second();
    let mut headers = configured.clone();
    headers.insert(CONTENT_TYPE, content_type(body));
    let mut set = |name, text: &str| {
        headers.insert(HeaderName::from_static(name), visible(text));
    };
    set(HEADER_WEBHOOK_TIMESTAMP, &timestamp.to_string());
    if let Some(signer) = signer {
        set(HEADER_WEBHOOK_SIGNATURE, &signer.sign(&id, timestamp, &body.bytes));
    }
    set(HEADER_WEBHOOK_ID, &id);
    set("lectern-event-id", &id);
    set("lectern-event-type", &work.event.event_type);
    set("lectern-delivery-id", &work.delivery.id.to_string());
    set("lectern-attempt", &work.attempt().to_string());
    // Where traces are sent, the receiver may go on with the event's.
    if let Some(parent) = traces::parent(work.trace()) {
        set("traceparent", &parent);
    }
    headers
}

fn content_type(body: &Outgoing<'_>) -> HeaderValue {
    HeaderValue::from_str(&body.content_type).unwrap_or(HeaderValue::from_static("application/json"))
}

/// Whatever a header can't hold, and the percent sign itself, is percent-encoded: an unknown event type may be any text.
fn visible(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' || byte == b' ' {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("a `String` takes every text");
        }
    }
    HeaderValue::try_from(encoded).expect("visible ASCII is a header's value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_type_is_a_header_as_it_is() {
        assert_eq!(visible("message.received"), "message.received");
    }

    #[test]
    fn what_a_header_cannot_hold_is_percent_encoded() {
        assert_eq!(visible("bestätigt 100%\n"), "best%C3%A4tigt 100%25%0A");
    }

    proptest! {
        #[test]
        fn every_text_can_be_a_header(text in any::<String>()) {
            prop_assert!(visible(&text).to_str().is_ok());
        }
    }
}
