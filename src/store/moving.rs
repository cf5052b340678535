//! Everything that is kept, record by record, so that it can move from one database to another of either kind.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::StoreError;
use crate::model::Words;

/// A way out of a store and into another. What only counts while servers run (leases, what handlers did within the last hour) does not
/// move.
#[async_trait]
pub trait MovingStore: Send + Sync + 'static {
    /// Whether the database keeps only what this program knows of. One that a newer program has brought up to date may keep more.
    async fn is_known(&self) -> Result<bool, StoreError>;

    /// Hands out every record as it is at one moment, collection by collection in the order of [`COLLECTIONS`], each in the order of
    /// its key. Ends early when nobody takes them any more.
    async fn export(&self, to: mpsc::Sender<Record>) -> Result<(), StoreError>;

    /// Takes records of one collection, all or nothing; one that is there already is passed over.
    async fn import(&self, records: &[Record]) -> Result<(), StoreError>;

    /// Makes the store ready for servers, once all records are in.
    async fn end_import(&self) -> Result<(), StoreError>;
}

/// Records of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Collection {
    /// What it is called.
    pub name: &'static str,
    /// What tells one record from another, and orders them.
    pub key: &'static [&'static str],
    /// What a record has.
    pub fields: &'static [(&'static str, Field)],
}

/// What a field holds, if it is not null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A UUID.
    Id,
    /// Bytes; base64 in JSON.
    Bytes,
    /// A text.
    Text,
    /// A moment, to the microsecond.
    Instant,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
}

/// What a field of a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// See [`Field::Id`].
    Id(Uuid),
    /// See [`Field::Bytes`].
    Bytes(Vec<u8>),
    /// See [`Field::Text`].
    Text(String),
    /// See [`Field::Instant`]: microseconds since 1970.
    Instant(i64),
    /// See [`Field::Integer`].
    Integer(i64),
    /// See [`Field::Boolean`].
    Boolean(bool),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it belongs.
    pub collection: &'static Collection,
    /// What it has, in the order of the collection's fields.
    pub cells: Vec<Cell>,
    /// Of a resource, the words by which it is found: they are worked out of it again, because not every database can give them back.
    pub words: Words,
}

/// The text is no record of the collection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of a record of `{collection}` is not what it should be")]
pub struct NoRecord {
    collection: &'static str,
    field: &'static str,
}

impl Collection {
    /// The collection of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        COLLECTIONS.iter().find(|collection| collection.name == name)
    }
}

impl Record {
    /// The record as JSON, always the same for the same record.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let fields = self.collection.fields.iter().zip(&self.cells);
        Value::Object(fields.map(|((name, _), cell)| ((*name).to_owned(), cell.as_json())).collect())
    }

    /// Reads what [`as_json`](Self::as_json) has written; it has no words yet.
    ///
    /// # Errors
    /// When a field is missing or something else.
    pub fn from_json(collection: &'static Collection, json: &Map<String, Value>) -> Result<Self, NoRecord> {
        let cell = |(name, field): &(&'static str, Field)| {
            let read = json.get(*name).and_then(|value| Cell::from_json(*field, value));
            read.ok_or(NoRecord { collection: collection.name, field: name })
        };
        let cells = collection.fields.iter().map(cell).collect::<Result<_, _>>()?;
        Ok(Self { collection, cells, words: Words::default() })
    }

    /// What a field holds.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        let place = self.collection.fields.iter().position(|(field, _)| *field == name)?;
        self.cells.get(place)
    }

    /// The text of a field.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Cell::Text(text)) = self.cell(name) { Some(text) } else { None }
    }

    /// About how much it takes in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        let size = |cell: &Cell| match cell {
            Cell::Bytes(bytes) => bytes.len(),
            Cell::Text(text) => text.len(),
            _ => 16,
        };
        self.cells.iter().map(size).sum()
    }
}

impl Cell {
    fn as_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Id(id) => id.to_string().into(),
            Self::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Self::Text(text) => text.as_str().into(),
            // What jiff can't tell does not come from a store.
            Self::Instant(at) => {
                Timestamp::from_microsecond(*at).map_or(Value::Null, |at| at.to_string().into())
            }
            Self::Integer(number) => (*number).into(),
            Self::Boolean(answer) => (*answer).into(),
        }
    }

    fn from_json(field: Field, value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(Self::Null);
        }
        Some(match field {
            Field::Id => Self::Id(value.as_str()?.parse().ok()?),
            Field::Bytes => Self::Bytes(STANDARD.decode(value.as_str()?).ok()?),
            Field::Text => Self::Text(value.as_str()?.to_owned()),
            Field::Instant => Self::Instant(value.as_str()?.parse::<Timestamp>().ok()?.as_microsecond()),
            Field::Integer => Self::Integer(value.as_i64()?),
            Field::Boolean => Self::Boolean(value.as_bool()?),
        })
    }

    /// The cell as a statement takes it within JSON: bytes are hexadecimal, identifiers too where they are bytes, moments are microseconds.
    pub(super) fn for_statement(&self, id: impl Fn(&Uuid) -> String) -> Value {
        match self {
            Self::Id(uuid) => id(uuid).into(),
            Self::Bytes(bytes) => hex::encode(bytes).into(),
            Self::Instant(at) => (*at).into(),
            other => other.as_json(),
        }
    }
}

macro_rules! collections {
    ($($name:ident by $($key:ident),+: { $($column:ident $field:ident),+ $(,)? })+) => {
        /// All that moves, in an order in which whatever another needs comes first.
        pub static COLLECTIONS: &[Collection] = &[$(Collection {
            name: stringify!($name),
            key: &[$(stringify!($key)),+],
            fields: &[$((stringify!($column), Field::$field)),+],
        }),+];
    };
}

collections! {
    events by id: {
        id Id, dedup_key Bytes, source Text, event_type Text, event_uid Text, subject_uid Text, conversation_uid Text,
        contact_uid Text, location_uid Text, organization_uid Text, occurred_at Instant, received_at Instant,
        verified_by Text, decode_error Text, origin Text,
    }
    event_bodies by event_id: { event_id Id, headers Text, body Bytes }
    deliveries by id: {
        id Id, position Integer, event_id Id, handler Text, ordering_key Text, state Text, attempts Integer,
        failures Integer, opened_at Instant, settled_at Instant, note Text,
    }
    attempts by delivery_id, number: {
        delivery_id Id, number Integer, started_at Instant, duration_us Integer, outcome Text, status Integer,
        output Text, error Text,
    }
    queues by handler, ordering_key: {
        handler Text, ordering_key Text, pending Integer, due_at Instant, lost Integer, parked_by Id,
        is_retrying Boolean,
    }
    paused_handlers by handler: { handler Text, paused_at Instant }
    replays by id: {
        id Id, filter Text, rate Integer, created_at Instant, created_by Text, matched Integer, replayed Integer,
        reached Id, state Text, ended_at Instant,
    }
    quarantine by id: {
        id Id, source Text, received_at Instant, reason Text, held Boolean, weight Integer, headers Text, body Bytes,
    }
    resources by kind, uid: {
        kind Text, uid Text, version Bytes, event_id Id, at Instant, conversation_uid Text, contact_uid Text,
        location_uid Text, organization_uid Text, user_uid Text, channel_type Text, channel_identifier Text,
        direction Text, status Text, name Text, merged_into Text, is_awaiting Boolean, data Text, first_at Instant,
        inbound Integer, outbound Integer, last_message_uid Text,
    }
    resource_events by kind, uid, event_id: { kind Text, uid Text, event_id Id }
    mirror_inbox by event_id: { event_id Id }
    mirror_skipped by event_id: { event_id Id, reason Text }
    feed by position: { position Integer, event_id Id }
    tokens by id: {
        id Id, name Text, digest Bytes, role Text, created_at Instant, expires_at Instant, last_used_at Instant,
    }
    secret_uses by secret: {
        secret Bytes, source Text, name Text, known_since Instant, last_used_at Instant, events Integer,
    }
    notes by name: { name Text, content Bytes, version Integer, written_at Instant }
}
