//! Between rows and the words of the house.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Error, Row, Sqlite};
use uuid::Uuid;

use crate::model::{
    Activity, Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, DeliveryState, EventId,
    EventRecord, InQuarantine, MirrorStatus, Origin, Quarantined, QuarantinedRequest, Queue, Rebuild, Replay,
    Resource, ResourceKeys, SecretUse, Talk, Token, TypePattern,
};
use crate::store::kept::{self, Leased};
use crate::store::replay::matched_by;
use crate::store::{Lease, LeaseToken, Note, QueueRef};

/// An instant as the database takes it: microseconds since 1970.
pub(super) fn instant(at: Timestamp) -> i64 {
    kept::instant(at).as_microsecond()
}

/// A ledger line.
pub(super) fn event(row: &SqliteRow) -> Result<EventRecord, Error> {
    Ok(EventRecord {
        id: row.try_get::<Uuid, _>("id")?.into(),
        source: row.try_get("source")?,
        event_type: row.try_get("event_type")?,
        event_uid: row.try_get("event_uid")?,
        subject_uid: row.try_get("subject_uid")?,
        conversation_uid: row.try_get("conversation_uid")?,
        contact_uid: row.try_get("contact_uid")?,
        location_uid: row.try_get("location_uid")?,
        organization_uid: row.try_get("organization_uid")?,
        occurred_at: maybe_timestamp(row, "occurred_at")?,
        received_at: timestamp(row, "received_at")?,
        verified_by: row.try_get("verified_by")?,
        decode_error: row.try_get("decode_error")?,
        origin: origin(row)?,
    })
}

/// How an event came here; nothing is written of the usual way.
fn origin(row: &SqliteRow) -> Result<Origin, Error> {
    let origin: Option<String> = row.try_get("origin")?;
    origin
        .map_or(Ok(Origin::Webhook), |origin| origin.parse().map_err(|error| Error::Decode(Box::new(error))))
}

/// A note.
pub(super) fn note(row: &SqliteRow) -> Result<Note, Error> {
    let version: i64 = row.try_get("version")?;
    Ok(Note {
        content: row.try_get("content")?,
        version: version.unsigned_abs(),
        written_at: timestamp(row, "written_at")?,
    })
}

/// What arrived.
pub(super) fn content(row: &SqliteRow) -> Result<Content, Error> {
    let headers =
        serde_json::from_str(row.try_get("headers")?).map_err(|error| Error::Decode(error.into()))?;
    Ok(Content { headers, body: row.try_get::<Option<Vec<u8>>, _>("body")?.unwrap_or_default().into() })
}

/// A delivery.
pub(super) fn delivery(row: &SqliteRow) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: row.try_get::<Uuid, _>("delivery_id")?.into(),
        event_id: row.try_get::<Uuid, _>("event_id")?.into(),
        event_type: row.try_get("event_type")?,
        handler: row.try_get("handler")?,
        ordering_key: row.try_get("ordering_key")?,
        state: word(row, "state")?,
        attempts: count(row, "attempts")?,
        failures: count(row, "failures")?,
        opened_at: timestamp(row, "opened_at")?,
        settled_at: maybe_timestamp(row, "settled_at")?,
        note: row.try_get("note")?,
    })
}

/// How the mirror stands.
pub(super) fn mirror_status(row: &SqliteRow) -> Result<MirrorStatus, Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    let rebuild = |started_at| {
        Ok::<_, Error>(Rebuild {
            started_at,
            total: number("rebuild_total")?,
            done: number("rebuild_done")?,
            ended_at: maybe_timestamp(row, "rebuild_ended_at")?,
        })
    };
    Ok(MirrorStatus {
        waiting: number("waiting")?,
        oldest_at: maybe_timestamp(row, "oldest_at")?,
        skipped: number("skipped")?,
        rebuild: maybe_timestamp(row, "rebuild_started_at")?.map(rebuild).transpose()?,
    })
}

/// A resource.
pub(super) fn resource(row: &SqliteRow) -> Result<Resource, Error> {
    let talk = |first_at| {
        Ok::<_, Error>(Talk {
            first_at,
            inbound: row.try_get::<i64, _>("inbound")?.unsigned_abs(),
            outbound: row.try_get::<i64, _>("outbound")?.unsigned_abs(),
            last_message_uid: row.try_get("last_message_uid")?,
        })
    };
    Ok(Resource {
        kind: word(row, "kind")?,
        uid: row.try_get("uid")?,
        at: timestamp(row, "at")?,
        keys: ResourceKeys {
            conversation_uid: row.try_get("conversation_uid")?,
            contact_uid: row.try_get("contact_uid")?,
            location_uid: row.try_get("location_uid")?,
            organization_uid: row.try_get("organization_uid")?,
            user_uid: row.try_get("user_uid")?,
            channel_type: row.try_get("channel_type")?,
            channel_identifier: row.try_get("channel_identifier")?,
            direction: row.try_get("direction")?,
            status: row.try_get("status")?,
            merged_into: row.try_get("merged_into")?,
            is_awaiting: row.try_get("is_awaiting")?,
        },
        name: row.try_get("name")?,
        data: row.try_get("data")?,
        talk: maybe_timestamp(row, "first_at")?.map(talk).transpose()?,
    })
}

/// What a handler has to do.
pub(super) fn backlog(row: &SqliteRow) -> Result<Backlog, Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(Backlog {
        handler: row.try_get("handler")?,
        open: number("open")?,
        parked: number("parked")?,
        dead: number("dead")?,
        oldest_due_at: maybe_timestamp(row, "oldest_due_at")?,
    })
}

/// Since when a handler has something open.
pub(super) fn oldest_open(row: &SqliteRow) -> Result<(String, Timestamp), Error> {
    Ok((row.try_get("handler")?, timestamp(row, "opened_at")?))
}

/// How much of a source is in quarantine.
pub(super) fn in_quarantine(row: &SqliteRow) -> Result<InQuarantine, Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(InQuarantine { source: row.try_get("source")?, held: number("held")?, rejected: number("rejected")? })
}

/// How many deliveries stand so.
pub(super) fn state_count(row: &SqliteRow) -> Result<(DeliveryState, u64), Error> {
    Ok((word(row, "state")?, row.try_get::<i64, _>("number")?.unsigned_abs()))
}

/// How a queue stands.
pub(super) fn queue(row: &SqliteRow) -> Result<Queue, Error> {
    Ok(Queue {
        pending: count(row, "pending")?,
        due_at: timestamp(row, "due_at")?,
        parked_by: row.try_get::<Option<Uuid>, _>("parked_by")?.map(DeliveryId::from),
    })
}

/// A replay.
pub(super) fn replay(row: &SqliteRow) -> Result<Replay, Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(Replay {
        id: row.try_get::<Uuid, _>("id")?.into(),
        filter: serde_json::from_str(row.try_get("filter")?).map_err(|error| Error::Decode(error.into()))?,
        rate: count(row, "rate")?,
        created_at: timestamp(row, "created_at")?,
        created_by: row.try_get("created_by")?,
        matched: matched_by(row.try_get("matched")?),
        replayed: number("replayed")?,
        state: word(row, "state")?,
        ended_at: maybe_timestamp(row, "ended_at")?,
    })
}

/// What a handler has been doing.
pub(super) fn activity(row: &SqliteRow) -> Result<Activity, Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    Ok(Activity {
        handler: row.try_get("handler")?,
        done: number("done")?,
        failed: number("failed")?,
        failing_until: maybe_timestamp(row, "failing_until")?,
    })
}

/// An attempt.
pub(super) fn attempt(row: &SqliteRow) -> Result<Attempt, Error> {
    let microseconds: i64 = row.try_get("duration_us")?;
    Ok(Attempt {
        number: count(row, "number")?,
        started_at: timestamp(row, "started_at")?,
        duration: Duration::from_micros(microseconds.unsigned_abs()),
        outcome: word(row, "outcome")?,
        status: row.try_get("status")?,
        output: row.try_get("output")?,
        error: row.try_get("error")?,
    })
}

/// A request in quarantine.
pub(super) fn quarantined(row: &SqliteRow) -> Result<Quarantined, Error> {
    Ok(Quarantined {
        id: row.try_get::<Uuid, _>("id")?.into(),
        source: row.try_get("source")?,
        received_at: timestamp(row, "received_at")?,
        reason: row.try_get("reason")?,
        held: row.try_get("held")?,
        size: row.try_get::<i64, _>("size")?.unsigned_abs(),
    })
}

/// The same, with what arrived.
pub(super) fn quarantined_request(row: &SqliteRow) -> Result<QuarantinedRequest, Error> {
    Ok(QuarantinedRequest { request: quarantined(row)?, content: content(row)? })
}

/// A token.
pub(super) fn token(row: &SqliteRow) -> Result<Token, Error> {
    let digest: [u8; 32] =
        row.try_get::<&[u8], _>("digest")?.try_into().map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(Token {
        id: row.try_get::<Uuid, _>("id")?.into(),
        name: row.try_get("name")?,
        digest: digest.into(),
        role: word(row, "role")?,
        created_at: timestamp(row, "created_at")?,
        expires_at: maybe_timestamp(row, "expires_at")?,
        last_used_at: maybe_timestamp(row, "last_used_at")?,
    })
}

/// How a secret has been used.
pub(super) fn secret_use(row: &SqliteRow) -> Result<SecretUse, Error> {
    let secret: [u8; 16] =
        row.try_get::<&[u8], _>("secret")?.try_into().map_err(|error| Error::Decode(Box::new(error)))?;
    Ok(SecretUse {
        secret: secret.into(),
        source: row.try_get("source")?,
        name: row.try_get("name")?,
        known_since: timestamp(row, "known_since")?,
        last_used_at: maybe_timestamp(row, "last_used_at")?,
        events: row.try_get::<i64, _>("events")?.unsigned_abs(),
    })
}

/// A queue that is leased.
pub(super) fn leased(row: &SqliteRow) -> Result<Leased, Error> {
    Ok(Leased {
        ordering_key: row.try_get("ordering_key")?,
        due_at: timestamp(row, "due_at")?,
        lost: count(row, "lost")?,
    })
}

/// A lease that is held.
pub(super) fn lease(row: &SqliteRow) -> Result<Lease, Error> {
    let queue = QueueRef { handler: row.try_get("handler")?, ordering_key: row.try_get("ordering_key")? };
    Ok(Lease { queue, token: LeaseToken(row.try_get("lease")?) })
}

/// A moment that is always there.
pub(super) fn timestamp(row: &SqliteRow, column: &str) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(row.try_get(column)?).map_err(|error| Error::Decode(error.into()))
}

fn maybe_timestamp(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, Error> {
    let microseconds: Option<i64> = row.try_get(column)?;
    microseconds.map(Timestamp::from_microsecond).transpose().map_err(|error| Error::Decode(error.into()))
}

fn count(row: &SqliteRow, column: &str) -> Result<u32, Error> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(|error| Error::Decode(error.into()))
}

fn word<W: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &SqliteRow,
    column: &str,
) -> Result<W, Error> {
    row.try_get::<&str, _>(column)?.parse().map_err(|error: W::Err| Error::Decode(error.into()))
}

/// Binds what a filter asks of deliveries, as the first parameters of the statement.
pub(super) fn narrowed<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    filter: &'q DeliveryFilter,
) -> Query<'q, Sqlite, SqliteArguments> {
    let ids = kept::ids_of_events(filter);
    query
        .bind(filter.event_id.map(EventId::as_uuid))
        .bind(filter.state.map(DeliveryState::as_str))
        .bind(&filter.handler)
        .bind(filter.event.event_type.as_ref().map(glob))
        .bind(&filter.event.source)
        .bind(&filter.event.location_uid)
        .bind(&filter.event.conversation_uid)
        .bind(ids.start)
        .bind(ids.end)
}

/// A pattern as GLOB has it: `*` stands for any run of characters, and brackets take a character by its word.
pub(super) fn glob(pattern: &TypePattern) -> String {
    let mut glob = String::with_capacity(pattern.as_str().len());
    for character in pattern.as_str().chars() {
        match character {
            '?' | '[' => glob.extend(['[', character, ']']),
            other => glob.push(other),
        }
    }
    glob
}
