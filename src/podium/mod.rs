//! Podium's webhook protocol: what comes over the wire, how to trust it and how to read it.
//!
//! Podium posts one event a request. The body is `{"data": …, "metadata": {…}}`, where the metadata names the
//! event's [type](EventType), a uid that stays the same when the delivery is repeated, and the version of the
//! API. Two headers prove where it comes from: [`TIMESTAMP_HEADER`] with Unix milliseconds, and
//! [`SIGNATURE_HEADER`] with the HMAC-SHA256 of that timestamp, a full stop and the raw body, keyed with the
//! webhook's secret. [`verify`] checks it against several keys at once, because a secret is replaced while
//! events signed with the old one are still on their way.
//!
//! Whatever is correctly signed is an event. Podium stops a webhook's whole stream at the first body that is
//! refused, so [`decode`] reads what can be read and never fails: it yields the type, the uid and the [`Keys`]
//! by which events are listed and ordered, and beside them the [`Event`] or the [`DecodeError`] that says why
//! there is none. The list of types is open ([`EventType::Other`]), so are the lists of words in payloads,
//! unknown properties are passed over, and every property may be missing.
//!
//! One signed body is no event: the developer portal's "Send Test" posts a text without metadata. It becomes
//! [`Event::Test`].
//!
//! [`samples`] has an invented event of each type.
//!
//! ```
//! use lectern::podium::{Event, EventType, SigningKey, decode, samples, verify};
//!
//! // What Podium does:
//! let key = SigningKey::new("something-no-one-will-know");
//! let timestamp = b"1773158533893";
//! let body = samples::body(&EventType::MessageReceived).expect("there is a sample of every documented type");
//! let header = key.sign(timestamp, body.as_bytes()).to_string();
//!
//! // What a receiver does, while one secret replaces another:
//! let keys = [SigningKey::new("its-successor"), key];
//! let signature = header.parse()?;
//! assert_eq!(verify(&keys, timestamp, body.as_bytes(), &signature), Some(1));
//!
//! let decoded = decode(body.as_bytes());
//! assert_eq!(decoded.event_type, EventType::MessageReceived);
//! assert!(decoded.keys.conversation_uid.is_some());
//! let Ok(Event::Message(message)) = decoded.event else { unreachable!("the sample is a message") };
//! assert!(message.body.is_some_and(|text| text.starts_with("Hi!")));
//! # Ok::<(), lectern::podium::SignatureError>(())
//! ```

// Trust
pub mod signature;

// The body, from the outside in
pub mod envelope;
pub mod event;
pub mod event_type;
pub mod keys;
pub mod identifier;

mod data;
mod decode_error;

// The payloads, and what several of them have
pub mod call;
pub mod contact;
pub mod invoice;
pub mod message;
pub mod payment;
pub mod review;
pub mod review_invite;
pub mod review_response;

mod channel;
mod location;
mod reference;

mod open_enum;
mod time;
mod unpopulated;

// What can be asked
pub mod client;

// Trials
pub mod samples;

pub use call::Call;
pub use channel::{Channel, ChannelType};
pub use contact::{Contact, ContactChange};
pub use decode_error::DecodeError;
pub use envelope::Envelope;
pub use event::{Decoded, Event, decode};
pub use event_type::{EventType, PayloadKind};
pub use invoice::Invoice;
pub use keys::Keys;
pub use location::Location;
pub use message::Message;
pub use payment::Payment;
pub use reference::Reference;
pub use review::Review;
pub use review_invite::ReviewInvite;
pub use review_response::ReviewResponse;
pub(crate) use time::parse as parse_time;

pub use signature::{
    SIGNATURE_HEADER, Signature, SignatureError, SigningKey, TIMESTAMP_HEADER, TimestampError,
    parse_timestamp, verify,
};
