//! What is told of an event beside its body.

use super::Work;

/// The facts that are known, each under its name in the form `event-id`. They mean what the fields of the same name
/// mean in the REST API.
pub(super) fn of(work: &Work) -> impl Iterator<Item = (&'static str, String)> {
    let Work { event, delivery, .. } = work;
    [
        ("event-id", Some(event.id.to_string())),
        ("event-type", Some(event.event_type.clone())),
        ("event-uid", event.event_uid.clone()),
        ("subject-uid", event.subject_uid.clone()),
        ("conversation-uid", event.conversation_uid.clone()),
        ("contact-uid", event.contact_uid.clone()),
        ("location-uid", event.location_uid.clone()),
        ("organization-uid", event.organization_uid.clone()),
        ("occurred-at", event.occurred_at.map(|at| at.to_string())),
        ("received-at", Some(event.received_at.to_string())),
        ("source", Some(event.source.clone())),
        ("handler", Some(delivery.handler.clone())),
        ("ordering-key", Some(delivery.ordering_key.clone())),
        ("delivery-id", Some(delivery.id.to_string())),
        ("attempt", Some(work.attempt().to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}
