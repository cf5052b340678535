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
    let (before, after) = (known(change.before.as_ref()), known(change.after.as_ref()));
    let is_of_end = matches!(event_type, EventType::ContactDeleted | EventType::ContactMerged);
    Ok(match (before, after) {
        (Some((went, before)), Some((stays, after)))
            if *event_type == EventType::ContactMerged && went != stays =>
        {
            vec![active(told, &stays, after, CHANGED), gone(told, &went, before, "merged", Some(&stays))]
        }
        // Podium leaves out the other side of an end.
        (Some((uid, contact)), _) | (None, Some((uid, contact))) if is_of_end => {
            let status = if *event_type == EventType::ContactMerged { "merged" } else { "deleted" };
            vec![gone(told, &uid, contact, status, None)]
        }
        (_, Some((uid, contact))) | (Some((uid, contact)), None) => {
            let step = if *event_type == EventType::ContactCreated { CREATED } else { CHANGED };
            vec![active(told, &uid, contact, step)]
        }
        (None, None) => return Err("it names no contact that has a uid".to_owned()),
    })
}

/// The steps of a contact's life. Podium names no moment for its end: it comes after whatever was there at the last one that is
/// named.
const CREATED: u8 = 0;
const CHANGED: u8 = 1;
const GONE: u8 = 2;

fn known(contact: Option<&Contact>) -> Option<(String, &Contact)> {
    contact.and_then(|contact| Some((key(contact.uid.as_deref())?, contact)))
}

fn active(told: Told<'_>, uid: &str, contact: &Contact, step: u8) -> ResourceState {
    state(told, uid, contact, step, "active", None)
}

fn gone(told: Told<'_>, uid: &str, contact: &Contact, status: &str, into: Option<&str>) -> ResourceState {
    state(told, uid, contact, GONE, status, into)
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
    let (at, name, words) = (contact.created_at, contact.name.as_deref(), words(contact));
    told.state(ResourceKind::Contact, uid, Details { at, step, keys, name, words }, contact)
}

/// What a contact is found by.
pub(super) fn words(contact: &Contact) -> Words {
    let addresses: Vec<&str> = addresses(contact).collect();
    let locations = contact.locations.iter().filter_map(|location| location.uid.as_deref());
    Words::of(contact.name.as_deref().into_iter().chain(addresses.iter().copied()))
        .marked("location", locations)
        .marked("channel", addresses)
}

/// Telephone numbers and e-mail addresses.
fn addresses(contact: &Contact) -> impl Iterator<Item = &str> {
    let channels = contact.channels.iter().filter_map(|channel| channel.identifier.as_deref());
    channels
        .chain(contact.emails.iter().map(String::as_str))
        .chain(contact.phone_numbers.iter().map(String::as_str))
}
