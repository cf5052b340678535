//! Erasing a person: what is stored about somebody who asks to be forgotten is found by contact uid, telephone number and e-mail address,
//! and removed from the bodies of events, from what handlers answered, from the mirror and from quarantine.
//!
//! What stays are the lines of the ledger: which events there were, when, of which type, and Podium's uids, so that what Podium sends
//! again is still recognised. By themselves they tell nothing of a person.

mod find;
mod mirrored;
mod person;
mod traces;

use crate::clock::Clock;
use crate::model::{EventId, QuarantineId, ResourceKind};
use crate::store::{Database, StoreError, in_time};

pub use find::{Looking, find};
pub use mirrored::until_mirrored;
pub use person::{Known, Person};
pub use traces::{NoTrace, Traces};

/// How many events or resources are erased at a time: short enough that nobody waits for it.
const BATCH: usize = 100;

/// How often it is looked again for what came while it was erased. Whoever writes without a pause is never through.
const ROUNDS: u32 = 5;

/// Why nothing could be found or erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is made anew may have been read before it was erased.
    #[error(
        "the mirror is being made anew: wait until that is through, which `lectern rebuild --status` tells, with a server running; then \
         erase"
    )]
    Rebuilding,
}

/// What is stored about a person.
#[derive(Debug)]
pub struct Found {
    /// All by which the person is known here: what was asked for, and what the contacts that fit have besides.
    pub person: Person,
    /// The events that tell of the person and whose bodies are there, newest first.
    pub events: Vec<EventId>,
    /// What the mirror has.
    pub resources: Vec<(ResourceKind, String)>,
    /// Requests in quarantine.
    pub quarantined: Vec<QuarantineId>,
}

impl Found {
    /// A person has a few contacts, one at each location perhaps. Of more than this it is doubtful whether all of them are one person: what was
    /// given may be somebody else's, too.
    pub const FEW_CONTACTS: usize = 5;

    fn nothing_of(person: Person) -> Self {
        Self { person, events: Vec::new(), resources: Vec::new(), quarantined: Vec::new() }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.resources.is_empty() && self.quarantined.is_empty()
    }

    /// Whether there are more contacts than one person has.
    #[must_use]
    pub fn has_many_contacts(&self) -> bool {
        self.person.contacts().len() > Self::FEW_CONTACTS
    }
}

/// What was erased, and what was not.
#[derive(Debug)]
pub struct Erased {
    /// All by which the person was known in the end.
    pub person: Person,
    /// How many events have no body any more, and no deliveries.
    pub events: u64,
    /// How much is gone from the mirror.
    pub resources: u64,
    /// How many requests are gone from quarantine.
    pub quarantined: u64,
    /// Events that stay as they were: a handler still owes them, or its queue waits for a person to decide.
    pub kept: Vec<EventId>,
    /// How many events were not mirrored yet in the end: what they would have told of the person is not known.
    pub unmirrored: u64,
    /// Whether there is more, which was found meanwhile.
    pub is_more: bool,
    /// Whether nothing of it is left on the disk, as far as the database can say.
    pub is_overwritten: bool,
}

/// Erases what was found, and looks again for what came meanwhile, until there is nothing more. With more contacts than
/// [`Found::FEW_CONTACTS`] it only goes on if that is meant: `all_contacts`. `tell` hears how far it is with looking. Interrupted, it has erased a
/// part; it can be done again.
///
/// # Errors
/// When the store fails, or its mirror is being made anew.
pub async fn erase(
    mut found: Found,
    all_contacts: bool,
    clock: &dyn Clock,
    database: &dyn Database,
    tell: impl Fn(Looking),
) -> Result<Erased, ErasureError> {
    let mut erased = Erased {
        person: found.person.clone(),
        events: 0,
        resources: 0,
        quarantined: 0,
        kept: Vec::new(),
        unmirrored: 0,
        is_more: true,
        is_overwritten: false,
    };
    for _ in 0..ROUNDS {
        if found.has_many_contacts() && !all_contacts {
            break;
        }
        erased.add(&found, database).await?;
        // Whoever is at the mirror may have read a body before it was erased, and writes what it tells afterwards.
        erased.unmirrored = until_mirrored(clock.now(), database).await?;
        // All of it once more: what is known by now may be in what was passed by, and an event that waited in a spool has the moment at
        // which it was received, and comes between older ones.
        found = find(found.person, database, &tell).await?;
        found.events.retain(|event| !erased.kept.contains(event));
        erased.person = found.person.clone();
        erased.is_more = !found.is_empty();
        if !erased.is_more {
            break;
        }
    }
    // Without a limit: on SQLite the words of everything are written anew.
    erased.is_overwritten = database.leave_nothing().await?;
    Ok(erased)
}

impl Erased {
    /// Bodies first: the mirror can't be made anew from what is gone.
    async fn add(&mut self, found: &Found, database: &dyn Database) -> Result<(), StoreError> {
        for batch in found.events.chunks(BATCH) {
            let there = in_time(database.contents(batch)).await?.len();
            let kept = in_time(database.forget_contents(batch)).await?;
            self.events += there.saturating_sub(kept.len()) as u64;
            self.kept.extend(kept);
        }
        for batch in found.resources.chunks(BATCH) {
            self.resources += in_time(database.forget_resources(batch)).await?;
        }
        for batch in found.quarantined.chunks(BATCH) {
            self.quarantined += in_time(database.forget_quarantined(batch)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
