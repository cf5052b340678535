//! Erasing a person: what is stored about somebody who asks to be forgotten is found by contact uid, telephone number and e-mail address,
//! and removed from the bodies of events, from what handlers answered, from the mirror and from quarantine.
//!
//! What stays are the lines of the ledger: which events there were, when, of which type, and Podium's uids, so that what Podium sends
//! again is still recognised. By themselves they tell nothing of a person.

mod find;
mod traces;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::model::{EventId, QuarantineId, ResourceKind};
use crate::store::{Database, StoreError, in_time};

pub use find::{Looking, find};
pub use traces::{NoTrace, Traces};

/// How many events or resources are erased at a time: short enough that nobody waits for it.
const BATCH: usize = 100;

/// How often the mirror is looked at, and the pause in between. Not for ever: where no server runs, nobody mirrors.
const WAITS: u32 = 20;
const WAIT: Duration = Duration::from_millis(250);

/// What is stored about a person.
#[derive(Debug)]
pub struct Found {
    /// All by which the person is known here: what was asked for, and what the contacts that fit have besides.
    pub traces: Traces,
    /// The events that tell of the person and whose bodies are there, newest first.
    pub events: Vec<EventId>,
    /// What the mirror has.
    pub resources: Vec<(ResourceKind, String)>,
    /// Requests in quarantine.
    pub quarantined: Vec<QuarantineId>,
}

impl Found {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.resources.is_empty() && self.quarantined.is_empty()
    }
}

/// What was erased, and what was not.
#[derive(Debug, Default)]
pub struct Erased {
    /// How many events have no body any more, and no deliveries.
    pub events: u64,
    /// How much is gone from the mirror.
    pub resources: u64,
    /// How many requests are gone from quarantine.
    pub quarantined: u64,
    /// Events that stay as they were: a handler still owes them, or its queue waits for a person to decide.
    pub kept: Vec<EventId>,
}

/// Erases what was found, and what came while it was looked for, which began at `begun`. Interrupted, it has erased a part; it can be
/// done again.
///
/// # Errors
/// When the store fails.
pub async fn erase(
    found: &Found,
    begun: Timestamp,
    clock: &dyn Clock,
    database: &dyn Database,
) -> Result<Erased, StoreError> {
    let mut erased = Erased::default();
    erased.add(found, database).await?;
    // An event waits until it is in the mirror: what was read of a body that is gone now is there once nothing older waits.
    let erased_at = clock.now();
    for _ in 0..WAITS {
        let waiting = in_time(database.mirror_status()).await?.oldest_at;
        if waiting.is_none_or(|oldest| oldest > erased_at) {
            break;
        }
        sleep(WAIT).await;
    }
    let late = find(found.traces.clone(), Some(begun), database, |_| {}).await?;
    erased.kept.clear();
    let events = found.events.iter().chain(&late.events).copied().collect();
    erased.add(&Found { events, ..late }, database).await?;
    // Without a limit: on SQLite the words of everything are written anew.
    database.leave_nothing().await?;
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
