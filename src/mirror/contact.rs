//! Contacts.

use super::told::{Details, Told, key};
use crate::model::{ResourceKeys, ResourceKind, ResourceState, Words};
use crate::podium::{Contact, ContactChange, EventType};

/// The contact as it is after the change; of a merge also the one that went away, which leads to the one that stays.
pub(super) fn states(
    told: Told<'_>,
    event_type: &EventType,
    change: &ContactChange,
) -> Result<Vec<ResourceState>, String> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let known = |contact: Option<&Contact>| contact.and_then(|contact| key(contact.uid.as_deref()));
    let mut states = Vec::new();
    match (event_type, known(before), known(after)) {
        (EventType::ContactDeleted, Some(uid), _) => states.extend(before.map(|c| gone(told, &uid, c, None))),
        (EventType::ContactMerged, Some(went), Some(stays)) if went != stays => {
            states.extend(after.map(|contact| active(told, &stays, contact)));
            states.extend(before.map(|contact| gone(told, &went, contact, Some(&stays))));
        }
        (_, _, Some(uid)) => states.extend(after.map(|contact| active(told, &uid, contact))),
        (_, Some(uid), None) => states.extend(before.map(|contact| active(told, &uid, contact))),
        (_, None, None) => return Err("it names no contact that has a uid".to_owned()),
    }
    Ok(states)
}

fn active(told: Told<'_>, uid: &str, contact: &Contact) -> ResourceState {
    state(told, uid, contact, 0, "active", None)
}

/// Podium names no moment for an end: it comes after whatever was there at the last one that is named.
fn gone(told: Told<'_>, uid: &str, contact: &Contact, into: Option<&str>) -> ResourceState {
    state(told, uid, contact, 1, if into.is_some() { "merged" } else { "deleted" }, into)
}

fn state(
    told: Told<'_>,
    uid: &str,
    contact: &Contact,
    step: u8,
    status: &str,
    into: Option<&str>,
) -> ResourceState {
    let organization = contact.organization.as_ref().and_then(|organization| organization.uid.as_deref());
    let keys = ResourceKeys {
        organization_uid: key(organization),
        status: Some(status.to_owned()),
        merged_into: into.map(str::to_owned),
        ..ResourceKeys::default()
    };
    let addresses: Vec<&str> = addresses(contact).collect();
    let locations = contact.locations.iter().filter_map(|location| location.uid.as_deref());
    let words = Words::of(contact.name.as_deref().into_iter().chain(addresses.iter().copied()))
        .marked("location", locations)
        .marked("channel", addresses);
    let details = Details { at: contact.created_at, step, keys, name: contact.name.as_deref(), words };
    told.state(ResourceKind::Contact, uid, details, contact)
}

/// Telephone numbers and e-mail addresses.
fn addresses(contact: &Contact) -> impl Iterator<Item = &str> {
    let channels = contact.channels.iter().filter_map(|channel| channel.identifier.as_deref());
    channels
        .chain(contact.emails.iter().map(String::as_str))
        .chain(contact.phone_numbers.iter().map(String::as_str))
}
