//! What a broker is given of an event.

use bytes::Bytes;

use crate::handlers::{Body, Failure, Outgoing, Work, facts};

/// A message about an event, the same for every broker but for the form in which it takes it. It has no `Debug`: the
/// body is what customers write.
pub(in crate::handlers) struct Message {
    /// The same in every attempt of a delivery, so that a repetition can be recognised; another one when a person has the
    /// delivery done again, because that is meant to arrive.
    pub(in crate::handlers) id: String,
    /// The event's type.
    pub(in crate::handlers) event_type: String,
    /// The media type of the body.
    pub(in crate::handlers) content_type: String,
    /// What is told beside the body, by names such as `lectern-event-id`.
    pub(in crate::handlers) facts: Vec<(String, String)>,
    /// The payload: the body as it was received, or what a template makes of the event.
    pub(in crate::handlers) body: Bytes,
}

impl Message {
    /// The message for one attempt.
    ///
    /// # Errors
    /// A permanent failure when the body's template can't be filled in.
    pub(in crate::handlers) fn of(work: &Work, body: &Body) -> Result<Self, Failure> {
        let Outgoing { bytes, content_type } = body.render(work)?;
        // Neither the event's id, by which a second handler's message would look like a repetition, nor the delivery's
        // alone, by which a replay would.
        let id = format!("{}-{}", work.delivery.id, work.delivery.opened_at.as_microsecond());
        let facts = facts::of(work).map(|(name, value)| (format!("lectern-{name}"), value)).collect();
        Ok(Self {
            id,
            event_type: work.event.event_type.clone(),
            content_type: content_type.into_owned(),
            facts,
            body: bytes,
        })
    }
}
