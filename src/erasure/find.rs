//! Going through all that is stored.

use jiff::Timestamp;

use super::{Found, Traces};
use crate::model::{
    EventFilter, EventRecord, PageRequest, QuarantineFilter, Resource, ResourceFilter, ResourceKind,
};
use crate::podium::Contact;
use crate::store::{Database, MirrorStore, Store, StoreError, in_time};

/// How many lines of the mirror are looked at together.
const RESOURCES: u32 = 500;

/// How many events or requests, with their bodies.
const BODIES: u32 = 50;

/// What is being looked through, and how much of it so far.
#[derive(Clone, Copy, Debug)]
pub enum Looking {
    /// The mirror.
    Mirror(u64),
    /// Events and their bodies.
    Events(u64),
}

/// Finds what is stored about a person. Everything is looked at, which takes its time where much is stored, or of events only those that
/// were received since a moment; `tell` hears how far it is.
///
/// # Errors
/// When the store fails.
pub async fn find(
    asked: Traces,
    since: Option<Timestamp>,
    database: &dyn Database,
    tell: impl Fn(Looking),
) -> Result<Found, StoreError> {
    let mut finder = Finder {
        found: Found { traces: asked, events: Vec::new(), resources: Vec::new(), quarantined: Vec::new() },
        looked_at: 0,
        tell,
    };
    finder.contacts(database).await?;
    // Conversations before what belongs to them: from here on they are known by uid.
    finder.resources(ResourceKind::Conversation, database).await?;
    let others = ResourceKind::ALL.into_iter().filter(|kind| *kind != ResourceKind::Conversation);
    for kind in others {
        finder.resources(kind, database).await?;
    }
    finder.looked_at = 0;
    finder.events(since, database).await?;
    finder.quarantine(database).await?;
    Ok(finder.found)
}

struct Finder<F> {
    found: Found,
    looked_at: u64,
    tell: F,
}

impl<F: Fn(Looking)> Finder<F> {
    /// Learns who the person is: the contacts that fit, what they were merged with, and how else they can be reached; and the contacts
    /// that fit that, until there is nothing to learn.
    async fn contacts(&mut self, mirror: &dyn MirrorStore) -> Result<(), StoreError> {
        loop {
            let known = self.found.traces.len();
            let mut uids: Vec<String> = self.found.traces.uids().map(str::to_owned).collect();
            self.each(ResourceKind::Contact, mirror, |found, resource| {
                let contact = serde_json::from_str::<Contact>(&resource.data).unwrap_or_default();
                if found.traces.are_of(&resource.uid, &contact) {
                    found.traces.learn(&contact);
                    uids.extend(resource.keys.merged_into);
                    uids.push(resource.uid);
                }
            })
            .await?;
            for uid in uids {
                let merged = in_time(mirror.merged_uids(ResourceKind::Contact, &uid)).await?;
                merged.into_iter().for_each(|uid| self.found.traces.add_uid(uid));
                self.found.traces.add_uid(uid);
            }
            if self.found.traces.len() == known {
                return Ok(());
            }
        }
    }

    async fn resources(&mut self, kind: ResourceKind, mirror: &dyn MirrorStore) -> Result<(), StoreError> {
        let mut conversations = Vec::new();
        self.each(kind, mirror, |found, resource| {
            if is_about(&found.traces, &resource) {
                if kind == ResourceKind::Conversation {
                    conversations.push(resource.uid.clone());
                }
                found.resources.push((kind, resource.uid));
            }
        })
        .await?;
        conversations.into_iter().for_each(|uid| self.found.traces.add_uid(uid));
        Ok(())
    }

    async fn each(
        &mut self,
        kind: ResourceKind,
        mirror: &dyn MirrorStore,
        mut see: impl FnMut(&mut Found, Resource),
    ) -> Result<(), StoreError> {
        let mut page = PageRequest { limit: RESOURCES, below: None };
        loop {
            let resources = in_time(mirror.resources(kind, &ResourceFilter::default(), page)).await?;
            let Some(last) = resources.last() else { return Ok(()) };
            page = PageRequest { limit: RESOURCES, below: Some(last.place()) };
            self.looked_at += resources.len() as u64;
            (self.tell)(Looking::Mirror(self.looked_at));
            for resource in resources {
                see(&mut self.found, resource);
            }
        }
    }

    async fn events(&mut self, since: Option<Timestamp>, store: &dyn Store) -> Result<(), StoreError> {
        let filter = EventFilter { received_after: since, ..EventFilter::default() };
        let mut page = PageRequest { limit: BODIES, below: None };
        loop {
            let events = in_time(store.events(&filter, page)).await?;
            let Some(last) = events.last() else { return Ok(()) };
            page = PageRequest { limit: BODIES, below: Some(last.id) };
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            // Of an event whose body is gone, nothing is left to be erased.
            let contents = in_time(store.contents(&ids)).await?;
            for event in &events {
                let content = contents.iter().find(|(id, _)| *id == event.id);
                let traces = &self.found.traces;
                if content.is_some_and(|(_, content)| names(traces, event) || traces.are_in(&content.body)) {
                    self.found.events.push(event.id);
                }
            }
            self.looked_at += events.len() as u64;
            (self.tell)(Looking::Events(self.looked_at));
        }
    }

    async fn quarantine(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let requests =
                in_time(store.oldest_quarantined(&QuarantineFilter::default(), after, BODIES)).await?;
            let Some(last) = requests.last() else { return Ok(()) };
            after = Some(last.request.id);
            let about = requests.iter().filter(|one| self.found.traces.are_in(&one.content.body));
            let about: Vec<_> = about.map(|one| one.request.id).collect();
            self.found.quarantined.extend(about);
        }
    }
}

fn is_about(traces: &Traces, resource: &Resource) -> bool {
    let keys = &resource.keys;
    [
        Some(&resource.uid),
        keys.contact_uid.as_ref(),
        keys.conversation_uid.as_ref(),
        keys.merged_into.as_ref(),
    ]
    .into_iter()
    .flatten()
    .any(|uid| traces.has_uid(uid))
        || traces.are_in(resource.data.as_bytes())
}

fn names(traces: &Traces, event: &EventRecord) -> bool {
    [&event.subject_uid, &event.conversation_uid, &event.contact_uid]
        .into_iter()
        .flatten()
        .any(|uid| traces.has_uid(uid))
}
