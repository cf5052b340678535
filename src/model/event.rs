//! An event: what Podium said, as the ledger keeps it.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{EventId, NewDelivery, TypePattern};

/// A request that is known to be genuine: all that an event is made from. Everything else can be worked out from it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What the event will be called.
    pub id: EventId,
    /// The source that it came in by.
    pub source: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The name of the secret that verified it; none for a source that allows unsigned requests.
    pub verified_by: Option<String>,
    /// What arrived, byte for byte.
    pub content: Content,
}

/// An event on its way into the store, with the deliveries that follow from it. Both are written together.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What the ledger keeps.
    pub record: EventRecord,
    /// What tells this event from every other one.
    pub dedup_key: DedupKey,
    /// What arrived, byte for byte.
    pub content: Content,
    /// One delivery for each interested handler.
    pub deliveries: Vec<NewDelivery>,
}

impl NewEvent {
    /// What it was made from.
    #[must_use]
    pub fn arrival(&self) -> Arrival {
        Arrival {
            id: self.record.id,
            source: self.record.source.clone(),
            received_at: self.record.received_at,
            verified_by: self.record.verified_by.clone(),
            content: self.content.clone(),
        }
    }
}

/// A line of the ledger: everything that is filtered, listed and deduplicated on, without the body.
///
/// Texts are at most 255 characters long and free of control characters: whoever makes a record sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Our name for the event; its order is the order of `received_at`.
    pub id: EventId,
    /// The source (a configured webhook) that it came in by.
    pub source: String,
    /// Podium's event type, such as `message.received`.
    pub event_type: String,
    /// Podium's name for the event, the same over every retry of it.
    pub event_uid: Option<String>,
    /// The uid of the message, invoice, contact, … that the event is about.
    pub subject_uid: Option<String>,
    /// The conversation's uid.
    pub conversation_uid: Option<String>,
    /// The contact's uid.
    pub contact_uid: Option<String>,
    /// The location's uid.
    pub location_uid: Option<String>,
    /// The organization's uid.
    pub organization_uid: Option<String>,
    /// When it happened, as Podium says.
    pub occurred_at: Option<Timestamp>,
    /// When it arrived here.
    pub received_at: Timestamp,
    /// The name of the secret that verified it; none for a source that allows unsigned requests.
    pub verified_by: Option<String>,
    /// Why the body could not be read as its type says; none when it could.
    pub decode_error: Option<String>,
    /// How it came here.
    pub origin: Origin,
}

/// How an event came here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Podium sent it.
    #[default]
    Webhook,
    /// Podium did not send it, or not in time: it was read back.
    Repair,
    /// Lectern tells of it itself.
    Lectern,
}

impl Origin {
    /// The origin's name, as both databases spell it; none for the usual one, which they do not write.
    #[must_use]
    pub const fn kept(self) -> Option<&'static str> {
        match self {
            Self::Webhook => None,
            Self::Repair => Some("repair"),
            Self::Lectern => Some("lectern"),
        }
    }

    /// The origin's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.kept().unwrap_or("webhook")
    }
}

/// The text names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin of events")]
pub struct UnknownOrigin;

impl std::str::FromStr for Origin {
    type Err = UnknownOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Webhook, Self::Repair, Self::Lectern];
        all.into_iter().find(|origin| origin.as_str() == text).ok_or(UnknownOrigin)
    }
}

/// What arrived, byte for byte, kept apart from the ledger. Its `Debug` shows neither what customers write nor the
/// signature over it.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The headers of the request, in their order, without credentials.
    pub headers: Vec<Header>,
    /// The body of the request.
    pub body: Bytes,
}

impl Content {
    /// The value of the first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|header| &header.name).collect();
        f.debug_struct("Content").field("headers", &names).field("body_bytes", &self.body.len()).finish()
    }
}

/// One header of a request. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// As it was sent.
    pub value: String,
}

/// What tells one event from another: 16 bytes of SHA-256 over the source's name and Podium's event uid or, where
/// that is missing, the body. Sixteen bytes keep the index small; a collision among 10¹² events has odds of
/// about 10⁻¹⁵.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey([u8; 16]);

impl DedupKey {
    /// The key of an event that names itself.
    #[must_use]
    pub fn of_uid(source: &str, event_uid: &str) -> Self {
        Self::digest(source, b"uid", event_uid.as_bytes())
    }

    /// The key of a body that names no event.
    #[must_use]
    pub fn of_body(source: &str, body: &[u8]) -> Self {
        Self::digest(source, b"body", &Sha256::digest(body))
    }

    /// The key as a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Sources are apart: one that is registered by somebody else can't make another's event look like a duplicate.
    fn digest(source: &str, kind: &[u8], what: &[u8]) -> Self {
        // A zero byte ends each part, and no part but the last can hold one: no two inputs run together.
        let digest = Sha256::new()
            .chain_update(source.as_bytes())
            .chain_update([0])
            .chain_update(kind)
            .chain_update([0])
            .chain_update(what)
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// Which events a list shows: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventFilter {
    /// The type fits.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<TypePattern>,
    /// It came in by this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// It belongs to this location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_uid: Option<String>,
    /// It belongs to this conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_uid: Option<String>,
    /// It arrived at this moment or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_after: Option<Timestamp>,
    /// It arrived before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_before: Option<Timestamp>,
}

impl EventFilter {
    /// Whether the event meets every condition that is set.
    #[must_use]
    pub fn fits(&self, event: &EventRecord) -> bool {
        fn is_or_any(asked: Option<&String>, found: Option<&String>) -> bool {
            asked.is_none_or(|asked| found == Some(asked))
        }
        self.event_type.as_ref().is_none_or(|pattern| pattern.matches(&event.event_type))
            && is_or_any(self.source.as_ref(), Some(&event.source))
            && is_or_any(self.location_uid.as_ref(), event.location_uid.as_ref())
            && is_or_any(self.conversation_uid.as_ref(), event.conversation_uid.as_ref())
            && self.received_after.is_none_or(|after| event.received_at >= after)
            && self.received_before.is_none_or(|before| event.received_at < before)
    }
}

#[cfg(test)]
impl EventRecord {
    /// An event of which nothing more is known, for tests.
    pub(crate) fn bare(event_type: &str, received_at: Timestamp) -> Self {
        Self {
            id: EventId::at(received_at),
            source: "default".to_owned(),
            event_type: event_type.to_owned(),
            event_uid: None,
            subject_uid: None,
            conversation_uid: None,
            contact_uid: None,
            location_uid: None,
            organization_uid: None,
            occurred_at: None,
            received_at,
            verified_by: None,
            decode_error: None,
            origin: Origin::Webhook,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_shows_the_names_of_its_headers_and_the_length_of_its_body() {
        let header = Header { name: "podium-signature".to_owned(), value: "0a1b2c".to_owned() };
        let content = Content { headers: vec![header], body: Bytes::from_static(b"a private text") };
        assert_eq!(format!("{content:?}"), r#"Content { headers: ["podium-signature"], body_bytes: 14 }"#);
    }
}
