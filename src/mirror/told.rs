//! What an event tells of a resource, with what all kinds have in common.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{EventRecord, ResourceKeys, ResourceKind, ResourceState, Version, Words};
use crate::podium::identifier;

/// A clock of Podium's may be ahead of ours. What claims to be later than this after its arrival would keep out everything that
/// comes after it, so it is taken to be as late as its arrival.
const AHEAD: Duration = Duration::from_secs(3600);

/// An event, asked what it tells of.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    event: &'a EventRecord,
}

/// What is special about one state of a resource.
pub(super) struct Details<'a> {
    /// When the resource came to be; none where Podium does not say.
    pub(super) at: Option<Timestamp>,
    /// What orders states that came to be at one moment.
    pub(super) step: u8,
    pub(super) keys: ResourceKeys,
    /// The name of the person whom it is about.
    pub(super) name: Option<&'a str>,
    pub(super) words: Words,
}

impl<'a> Told<'a> {
    pub(super) const fn by(event: &'a EventRecord) -> Self {
        Self { event }
    }

    /// The event's own name, for a resource that has none of its own.
    pub(super) fn own_name(self) -> String {
        self.event.id.to_string()
    }

    /// The state of a resource. `data` is all of it, in Podium's own names.
    pub(super) fn state(
        self,
        kind: ResourceKind,
        uid: &str,
        details: Details<'_>,
        data: &impl Serialize,
    ) -> ResourceState {
        let Details { at, step, keys, name, words } = details;
        ResourceState {
            kind,
            uid: uid.to_owned(),
            version: Version::new(self.event.occurred_at.map(|at| self.not_ahead(at)), step, self.event.id),
            event_id: self.event.id,
            at: at
                .filter(|at| *at >= Timestamp::UNIX_EPOCH)
                .or(self.event.occurred_at)
                .map_or(self.event.received_at, |at| self.not_ahead(at)),
            keys,
            name: name.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
            words,
            data: serde_json::to_string(data).expect("what was read from JSON can be written as JSON"),
        }
    }

    fn not_ahead(self, at: Timestamp) -> Timestamp {
        let received_at = self.event.received_at;
        let is_ahead = at.duration_since(received_at).as_secs_f64() > AHEAD.as_secs_f64();
        if is_ahead { received_at } else { at }
    }
}

/// A text that can be asked for, if it is one.
pub(super) fn key(text: Option<&str>) -> Option<String> {
    text.and_then(identifier::checked).map(str::to_owned)
}

/// The first of several texts that can be a uid.
pub(super) fn uid(candidates: &[Option<&str>]) -> Option<String> {
    candidates.iter().find_map(|candidate| key(*candidate))
}
