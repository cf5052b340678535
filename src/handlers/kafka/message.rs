//! The message that is written.

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::handlers::broker::Message;

/// The message for an event: the body under its ordering key.
pub(super) fn record<'a>(topic: &'a str, key: &'a str, message: &'a Message) -> FutureRecord<'a, str, [u8]> {
    FutureRecord::to(topic).key(key).payload(message.body.as_ref()).headers(headers(message))
}

fn headers(message: &Message) -> OwnedHeaders {
    let ours = [("content-type", &message.content_type), ("lectern-message-id", &message.id)];
    let facts = message.facts.iter().map(|(key, value)| (key.as_str(), value));
    let headers = ours.into_iter().chain(facts);
    headers.fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}
