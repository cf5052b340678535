//! Trying a text on samples. A filter that there is not is only noticed when it is reached: better now than with the first
//! event.

use bytes::Bytes;
use jiff::Timestamp;
use minijinja::{Error, ErrorKind};

use super::scope::Scope;
use crate::model::{DeliveryId, EventId, EventRecord};
use crate::podium::{self, EventType, samples};

/// Tries `evaluate` on each sample. An error that lies in the text is one; what may as well lie in the sample is none.
pub(super) fn events(
    mut evaluate: impl FnMut(&EventRecord, &Bytes) -> Result<(), Error>,
) -> Result<(), Error> {
    let bodies = EventType::ALL.iter().filter_map(samples::body).chain([samples::SEND_TEST]);
    for body in bodies {
        match evaluate(&record(body), &Bytes::from_static(body.as_bytes())) {
            Err(error) if is_of_text(error.kind()) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The same, with a delivery of each.
pub(super) fn deliveries(mut evaluate: impl FnMut(Scope) -> Result<(), Error>) -> Result<(), Error> {
    events(|event, body| {
        let id = DeliveryId::floor(event.received_at);
        evaluate(Scope::of_delivery(event, body, id, "trial", 1))
    })
}

fn record(body: &str) -> EventRecord {
    let decoded = podium::decode(body.as_bytes());
    let received_at = decoded.keys.occurred_at.unwrap_or(Timestamp::UNIX_EPOCH);
    EventRecord {
        id: EventId::floor(received_at),
        source: "default".to_owned(),
        event_type: decoded.event_type.as_str().to_owned(),
        event_uid: decoded.event_uid,
        subject_uid: decoded.keys.subject_uid,
        conversation_uid: decoded.keys.conversation_uid,
        contact_uid: decoded.keys.contact_uid,
        location_uid: decoded.keys.location_uid,
        organization_uid: decoded.keys.organization_uid,
        occurred_at: decoded.keys.occurred_at,
        received_at,
        verified_by: Some("current".to_owned()),
        decode_error: None,
        origin: crate::model::Origin::Webhook,
    }
}

/// Whether an error lies in the text, whatever the event. The engine's own values have no methods.
const fn is_of_text(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments
            | ErrorKind::OutOfFuel
    )
}
