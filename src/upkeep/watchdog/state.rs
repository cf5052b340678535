//! What the watchdog knows, from one look to the next and from one process to another.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NOTE;
use crate::model::Finding;
use crate::store::{NoteStore, StoreError};

/// How often at least it is written that somebody is here.
const ALIVE: i64 = 60;

/// All that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct State {
    /// When somebody was last here.
    pub(super) alive_at: Option<Timestamp>,
    /// When Podium was last asked, and since when it does not answer.
    pub(super) checked_at: Option<Timestamp>,
    pub(super) unanswered_since: Option<Timestamp>,
    /// From when on what was missed is yet to be read back.
    pub(super) repair_owed_since: Option<Timestamp>,
    /// What is known of each source.
    pub(super) sources: BTreeMap<String, Watched>,
    /// What is wrong now.
    pub(super) findings: Vec<Finding>,
}

/// What is known of one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Watched {
    /// Since when it is watched.
    pub(super) since: Option<Timestamp>,
    /// When it was last heard of.
    pub(super) heard_at: Option<Timestamp>,
    /// The longer pauses between what came, in seconds, with when each ended: the newest last.
    pub(super) pauses: Vec<(Timestamp, i64)>,
    /// Since when it is known to be silent.
    pub(super) silent_since: Option<Timestamp>,
    /// Since when it is known to be disabled.
    pub(super) disabled_since: Option<Timestamp>,
    /// When it was enabled again.
    pub(super) enabled: Vec<Timestamp>,
}

impl State {
    /// What is known, and the version of the note.
    pub(super) async fn read(notes: &dyn NoteStore) -> Result<(Self, u64), StoreError> {
        let Some(note) = notes.note(NOTE).await? else { return Ok((Self::default(), 0)) };
        // What an earlier version has written and this one can't read is begun anew.
        Ok((serde_json::from_slice(&note.content).unwrap_or_default(), note.version))
    }

    pub(super) fn as_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether it is worth writing.
    pub(super) fn differs_from(&self, before: &Self) -> bool {
        let seconds = |at: Option<Timestamp>| at.map_or(0, |at| at.as_second() / ALIVE);
        let without_moments = |state: &Self| Self {
            alive_at: None,
            sources: state
                .sources
                .iter()
                .map(|(name, watched)| (name.clone(), Watched { heard_at: None, ..watched.clone() }))
                .collect(),
            ..state.clone()
        };
        seconds(self.alive_at) != seconds(before.alive_at) || without_moments(self) != without_moments(before)
    }
}
