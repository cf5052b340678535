//! Who is meant: by what was given, and by what the mirror tells besides.
//!
//! What was given always counts: every contact that has one of these addresses or uids is the person. From there only uids lead on, those that
//! Podium itself calls the same (merged contacts). What else such a contact can be reached by is looked for, too, but leads to no further
//! contact: one that a contact of somebody else has, such as `noemail@noemail.com` or the shop's own number, tells nothing of a person. It is
//! left alone, and said.

use std::collections::{BTreeMap, BTreeSet};

use super::Traces;
use crate::model::{Resource, ResourceKind};
use crate::podium::{Call, Contact};

/// Who is meant.
#[derive(Clone, Debug)]
pub struct Person {
    given: Traces,
    traces: Traces,
    contacts: BTreeMap<String, Known>,
    shared: BTreeMap<String, BTreeSet<String>>,
}

/// A contact that is taken to be the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What the person is called there.
    pub name: Option<String>,
    /// Why it goes, in a few words: an address that was given, its uid, or the contact that Podium merged it with.
    pub by: String,
}

impl Person {
    /// The person of whom this was given.
    #[must_use]
    pub fn known_as(given: Traces) -> Self {
        Self { traces: given.clone(), given, contacts: BTreeMap::new(), shared: BTreeMap::new() }
    }

    /// All that is looked for.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// The contacts, by uid: those that are the person, and those that name the person in what is noted of them, which go as well.
    #[must_use]
    pub fn contacts(&self) -> &BTreeMap<String, Known> {
        &self.contacts
    }

    /// Addresses of these contacts that are not looked for, each with how many others have it, too.
    pub fn shared(&self) -> impl Iterator<Item = (&str, usize)> {
        self.shared.iter().map(|(address, others)| (address.as_str(), others.len()))
    }

    /// Learns from a resource how else the person is known, if it is the person's.
    pub(super) fn meet(&mut self, resource: &Resource) {
        let Some(card) = Card::of(resource) else { return };
        let by = if self.traces.has_uid(card.uid) {
            Some("its uid")
        } else {
            card.addresses.iter().find_map(|address| self.given.known_as(address))
        };
        let Some(by) = by.map(str::to_owned) else { return };
        let known = self.contacts.entry(card.uid.to_owned()).or_insert(Known { name: None, by });
        known.name = known.name.take().or_else(|| resource.name.clone());
        self.traces.add_uid(card.uid.to_owned());
        card.addresses.iter().for_each(|address| self.traces.add_address(address));
        card.conversations.into_iter().for_each(|uid| self.traces.add_uid(uid));
        if let Some(into) = &resource.keys.merged_into {
            self.merge(into, card.uid);
        }
    }

    /// Takes a contact for the person that Podium merged with one of theirs.
    pub(super) fn merge(&mut self, uid: &str, with: &str) {
        if !self.traces.has_uid(uid) {
            self.traces.add_uid(uid.to_owned());
            self.contacts.insert(uid.to_owned(), Known { name: None, by: format!("merged with {with}") });
        }
    }

    /// Takes down a contact that names the person and is somebody else.
    pub(super) fn is_named_by(&mut self, contact: &Resource) {
        let named = || Known { name: contact.name.clone(), by: "names one of these".to_owned() };
        self.contacts.entry(contact.uid.clone()).or_insert_with(named);
    }

    /// Takes down which of the addresses that were learned others have, too.
    pub(super) fn compare(&mut self, resource: &Resource) {
        let card = Card::of(resource).or_else(|| Card::of_business(resource));
        let Some(card) = card.filter(|card| !self.traces.has_uid(card.uid)) else { return };
        for address in card.addresses {
            if let Some(known) = self.traces.known_as(&address)
                && self.given.known_as(known).is_none()
            {
                self.shared.entry(known.to_owned()).or_default().insert(card.uid.to_owned());
            }
        }
    }

    /// Forgets what others are known by, too.
    pub(super) fn leave_shared(&mut self) {
        self.shared.keys().for_each(|address| self.traces.remove_address(address));
    }

    pub(super) fn add_uid(&mut self, uid: String) {
        self.traces.add_uid(uid);
    }
}

/// What a resource says of how somebody can be reached.
struct Card<'a> {
    uid: &'a str,
    addresses: Vec<String>,
    conversations: Vec<String>,
}

impl<'a> Card<'a> {
    /// A contact: by itself, or by a message or conversation with it. Where nothing of contacts is received, that is all there is.
    fn of(resource: &'a Resource) -> Option<Self> {
        if resource.kind != ResourceKind::Contact {
            let uid = resource.keys.contact_uid.as_deref()?;
            let addresses = resource.keys.channel_identifier.iter().cloned().collect();
            return Some(Self { uid, addresses, conversations: Vec::new() });
        }
        let contact = serde_json::from_str::<Contact>(&resource.data).unwrap_or_default();
        let channels = contact.channels.into_iter().filter_map(|channel| channel.identifier);
        Some(Self {
            uid: &resource.uid,
            addresses: channels.chain(contact.emails).chain(contact.phone_numbers).collect(),
            conversations: contact.conversations.into_iter().filter_map(|talk| talk.uid).collect(),
        })
    }

    /// The business itself, by its number in a call.
    fn of_business(resource: &'a Resource) -> Option<Self> {
        if resource.kind != ResourceKind::Call {
            return None;
        }
        let number = serde_json::from_str::<Call>(&resource.data).ok()?.location_phone_number?;
        let uid = resource.keys.location_uid.as_deref().unwrap_or("the business");
        Some(Self { uid, addresses: vec![number], conversations: Vec::new() })
    }
}

#[cfg(test)]
mod tests;
