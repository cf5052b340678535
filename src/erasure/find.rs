//! Going through all that is stored.

use super::{ErasureError, Found, Person, Traces};
use crate::model::{
    EventFilter, EventRecord, PageRequest, QuarantineFilter, Resource, ResourceFilter, ResourceKind,
};
use crate::store::{Database, MirrorStore, Store, StoreError, in_time};

/// How many lines of the mirror are looked at together.
const RESOURCES: u32 = 500;

/// How many events or requests, with their bodies.
const BODIES: u32 = 50;

/// What tells who can be reached by what.
const WITH_ADDRESSES: [ResourceKind; 4] =
    [ResourceKind::Contact, ResourceKind::Conversation, ResourceKind::Message, ResourceKind::Call];

/// What is being looked through, and how much of it so far.
#[derive(Clone, Copy, Debug)]
pub enum Looking {
    /// The mirror, perhaps not for the first time.
    Mirror(u64),
    /// Events and their bodies.
    Events(u64),
}

/// Finds what is stored about a person. Everything is looked at, which takes its time where much is stored; `tell` hears how far it is.
///
/// # Errors
/// When the store fails.
pub async fn find(
    person: Person,
    database: &dyn Database,
    tell: impl Fn(Looking),
) -> Result<Found, ErasureError> {
    let mut finder = Finder { found: Found::nothing_of(person), looked_at: 0, tell };
    finder.contacts(database).await?;
    finder.others(database).await?;
    // Conversations before what belongs to them: from here on they are known by uid.
    finder.resources(ResourceKind::Conversation, database).await?;
    let others = ResourceKind::ALL.into_iter().filter(|kind| *kind != ResourceKind::Conversation);
    for kind in others {
        finder.resources(kind, database).await?;
    }
    finder.looked_at = 0;
    finder.events(database).await?;
    finder.quarantine(database).await?;
    Ok(finder.found)
}

struct Finder<F> {
    found: Found,
    looked_at: u64,
    tell: F,
}

impl<F: Fn(Looking)> Finder<F> {
    /// Learns who the person is, until there is no contact to learn any more: each may be what tells that another resource is theirs.
    async fn contacts(&mut self, mirror: &dyn MirrorStore) -> Result<(), StoreError> {
        loop {
            let known = self.found.person.contacts().len();
            for kind in WITH_ADDRESSES {
                self.each(kind, mirror, |found, resource| found.person.meet(&resource)).await?;
            }
            let uids: Vec<String> = self.found.person.contacts().keys().cloned().collect();
            for uid in uids {
                for merged in in_time(mirror.merged_uids(ResourceKind::Contact, &uid)).await? {
                    self.found.person.merge(&merged, &uid);
                }
            }
            if self.found.person.contacts().len() == known {
                return Ok(());
            }
        }
    }

    /// Finds out what is not the person's alone.
    async fn others(&mut self, mirror: &dyn MirrorStore) -> Result<(), StoreError> {
        for kind in WITH_ADDRESSES {
            self.each(kind, mirror, |found, resource| found.person.compare(&resource)).await?;
        }
        self.found.person.leave_shared();
        Ok(())
    }

    async fn resources(&mut self, kind: ResourceKind, mirror: &dyn MirrorStore) -> Result<(), StoreError> {
        let mut conversations = Vec::new();
        self.each(kind, mirror, |found, resource| {
            if is_about(found.person.traces(), &resource) {
                match kind {
                    ResourceKind::Conversation => conversations.push(resource.uid.clone()),
                    ResourceKind::Contact => found.person.is_named_by(&resource),
                    _ => {}
                }
                found.resources.push((kind, resource.uid));
            }
        })
        .await?;
        conversations.into_iter().for_each(|uid| self.found.person.add_uid(uid));
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

    async fn events(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let mut page = PageRequest { limit: BODIES, below: None };
        loop {
            let events = in_time(store.events(&EventFilter::default(), page)).await?;
            let Some(last) = events.last() else { return Ok(()) };
            page = PageRequest { limit: BODIES, below: Some(last.id) };
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            // Of an event whose body is gone, nothing is left to be erased.
            let contents = in_time(store.contents(&ids)).await?;
            let traces = self.found.person.traces();
            for event in &events {
                let content = contents.iter().find(|(id, _)| *id == event.id);
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
            let traces = self.found.person.traces();
            let about = requests.iter().filter(|one| traces.are_in(&one.content.body));
            self.found.quarantined.extend(about.map(|one| one.request.id));
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
