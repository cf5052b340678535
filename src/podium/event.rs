//! From the bytes of a body to an event.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::Call;
use super::contact::ContactChange;
use super::data;
use super::decode_error::DecodeError;
use super::envelope::Envelope;
use super::event_type::{EventType, PayloadKind, TEST, UNKNOWN};
use super::invoice::Invoice;
use super::keys::Keys;
use super::message::Message;
use super::review::Review;
use super::review_invite::ReviewInvite;
use super::review_response::ReviewResponse;
use super::unpopulated::Object;

/// The payload of an event. In JSON it is the payload alone, in Podium's own names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Of `message.received`, `message.sent` and `message.failed`.
    Message(Box<Message>),
    /// Of the `contact.…` events.
    ContactChange(Box<ContactChange>),
    /// Of the `invoice.…` events.
    Invoice(Box<Invoice>),
    /// Of `review.created` and `review.updated`.
    Review(Box<Review>),
    /// Of `review.invite_link_created` and `review.invite_link_updated`.
    ReviewInvite(Box<ReviewInvite>),
    /// Of `review.response_created` and `review.response_updated`.
    ReviewResponse(Box<ReviewResponse>),
    /// Of the `call.…` events.
    Call(Box<Call>),
    /// The text that the developer portal's "Send Test" posts.
    Test(String),
    /// Of an event whose type is not documented or could not be read: its `data` as it came.
    Other(Value),
}

/// All that can be read from a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The type; [`TEST`] for the portal's "Send Test" and [`UNKNOWN`] where none can be read.
    pub event_type: EventType,
    /// What stays the same over all attempts to deliver one event. None if it can't be read.
    pub event_uid: Option<String>,
    /// The version of the API that shaped the event, e.g. `2021.04.01`.
    pub version: Option<String>,
    /// What the event is listed, filtered and ordered by.
    pub keys: Keys,
    /// The payload, or why it could not be read. The other fields are filled as far as they can be read in
    /// either case.
    pub event: Result<Event, DecodeError>,
}

/// Reads a body. It never fails and never panics, whatever the bytes: what is not as Podium documents it is
/// an event all the same, with the reason in [`Decoded::event`].
#[must_use]
pub fn decode(body: &[u8]) -> Decoded {
    // A body with bytes that are no UTF-8 still has a type and keys, in the text that the rest makes.
    let text = String::from_utf8_lossy(body);
    let mut decoded = Envelope::parse(&text).map_or_else(Decoded::unreadable, |envelope| open(&envelope));
    if let Err(error) = std::str::from_utf8(body) {
        decoded.event = Err(DecodeError::NotUtf8 { place: error.valid_up_to() + 1 });
    }
    decoded
}

fn open(envelope: &Envelope<'_>) -> Decoded {
    let (data, problem) = match envelope.data {
        Some(raw) => data::read(raw),
        None => (Value::Null, Some(DecodeError::DataMissing)),
    };
    // The only body without metadata that Podium is known to send, and the only one whose data is a text.
    let is_test = data.is_string() && !envelope.has_metadata;
    let event_type = match &envelope.event_type {
        Some(event_type) => event_type.clone(),
        None => EventType::Other(if is_test { TEST } else { UNKNOWN }.to_owned()),
    };
    Decoded {
        keys: Keys::of(&event_type, &data),
        event: match (problem, data) {
            (Some(problem), _) => Err(problem),
            (None, Value::String(text)) if is_test => Ok(Event::Test(text)),
            (None, data) => Event::read(event_type.payload_kind(), data),
        },
        event_type,
        event_uid: envelope.event_uid.clone(),
        version: envelope.version.clone(),
    }
}

impl Decoded {
    fn unreadable(error: DecodeError) -> Self {
        Self {
            event_type: EventType::Other(UNKNOWN.to_owned()),
            event_uid: None,
            version: None,
            keys: Keys::default(),
            event: Err(error),
        }
    }
}

impl Event {
    fn read(kind: PayloadKind, data: Value) -> Result<Self, DecodeError> {
        match kind {
            PayloadKind::Message => payload(&data).map(Self::Message),
            PayloadKind::ContactChange => payload(&data).map(Self::ContactChange),
            PayloadKind::Invoice => payload(&data).map(Self::Invoice),
            PayloadKind::Review => payload(&data).map(Self::Review),
            PayloadKind::ReviewInvite => payload(&data).map(Self::ReviewInvite),
            PayloadKind::ReviewResponse => payload(&data).map(Self::ReviewResponse),
            PayloadKind::Call => payload(&data).map(Self::Call),
            PayloadKind::Other => Ok(Self::Other(data)),
        }
    }
}

fn payload<'v, T: Deserialize<'v>>(data: &'v Value) -> Result<Box<T>, DecodeError> {
    // To know the place of a mistake costs as much as reading, so it is read again for that where there is one.
    if let Ok(Object(payload)) = Object::deserialize(data) {
        return Ok(Box::new(payload));
    }
    match serde_path_to_error::deserialize(data) {
        Ok(Object(payload)) => Ok(Box::new(payload)),
        Err(error) => Err(DecodeError::of_payload(data, &error)),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
