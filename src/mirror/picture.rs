//! The picture that one event gives.

use super::told::Told;
use super::{call, contact, invoice, message, review};
use crate::model::{Content, EventRecord, ResourceState};
use crate::podium::{self, Decoded, Event};

/// The states that an event tells of: none where it is about nothing that is mirrored. Why there is no picture of it where there
/// should be one.
pub(super) fn of(event: &EventRecord, content: &Content) -> Result<Vec<ResourceState>, String> {
    let Decoded { event_type, event: payload, .. } = podium::decode(&content.body);
    let told = Told::by(event);
    match payload {
        Ok(Event::Message(message)) => Ok(message::states(told, &event_type, &message)),
        Ok(Event::ContactChange(change)) => contact::states(told, &event_type, &change),
        Ok(Event::Invoice(invoice)) => invoice::states(told, &event_type, &invoice),
        Ok(Event::Review(review)) => review::of_review(told, &event_type, &review),
        Ok(Event::ReviewInvite(invite)) => review::of_invite(told, &event_type, &invite),
        Ok(Event::ReviewResponse(response)) => review::of_response(told, &event_type, &response),
        Ok(Event::Call(call)) => call::states(told, &event_type, &call),
        Ok(Event::Test(_) | Event::Other(_)) => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }
}
