//! A replay: many closed deliveries opened again, a few at a time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DeliveryFilter, DeliveryState, EventId, ReplayId, TypePattern};

/// Opens again what a filter fits and was closed before the replay began, oldest first. What is closed after that, by the
/// replay itself perhaps, is none of its business: it comes to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Our name for it.
    pub id: ReplayId,
    /// Which deliveries are meant, of those that are closed: without a state, dead ones and done ones.
    pub filter: DeliveryFilter,
    /// How many deliveries a second, at least 1.
    pub rate: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it: the name of a token, or a word in brackets.
    pub created_by: String,
    /// How many deliveries fitted when it was asked for; none when there were too many to be counted in time.
    pub matched: Option<u64>,
    /// How many it has opened again.
    pub replayed: u64,
    /// Where it stands.
    pub state: ReplayState,
    /// When it was through, or cancelled.
    pub ended_at: Option<Timestamp>,
}

impl Replay {
    /// How many deliveries a second when nobody says how many: a system that has just come back is not to fall over again.
    pub const DEFAULT_RATE: u32 = 50;

    /// The highest rate.
    pub const MAX_RATE: u32 = 1000;

    /// One that has opened nothing yet.
    #[must_use]
    pub fn new(
        filter: DeliveryFilter,
        rate: u32,
        matched: Option<u64>,
        created_by: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id: ReplayId::at(created_at),
            filter,
            rate,
            created_at,
            created_by,
            matched,
            replayed: 0,
            state: ReplayState::Running,
            ended_at: None,
        }
    }

    /// What a filter comes to for a replay: only the dead ones that it fits, or the done ones, too. None when there can be no
    /// such delivery, because the filter's state is none of these.
    #[must_use]
    pub fn narrowed(filter: DeliveryFilter, only_failed: bool) -> Option<DeliveryFilter> {
        match (filter.state, only_failed) {
            (Some(DeliveryState::Pending), _) | (Some(DeliveryState::Done), true) => None,
            (_, true) => Some(DeliveryFilter { state: Some(DeliveryState::Dead), ..filter }),
            (_, false) => Some(filter),
        }
    }

    /// How far it is, from 0 to 1; 0 as long as it runs where nobody knows how much it is of. What was replayed, called done or forgotten otherwise meanwhile is left out, so that the last
    /// step may be a large one.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.state == ReplayState::Done {
            return 1.0;
        }
        let Some(matched) = self.matched.filter(|number| *number > 0) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 deliveries")]
        let part = self.replayed as f64 / matched as f64;
        // To the thousandth: nobody reads more.
        ((part * 1000.0).floor() / 1000.0).min(1.0)
    }
}

/// A replay as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Replay)]
pub struct ReplayStatus<'a> {
    id: ReplayId,
    state: ReplayState,
    matched: Option<u64>,
    replayed: u64,
    progress: f64,
    rate: u32,
    only_failed: bool,
    filter: Filter<'a>,
    created_at: Timestamp,
    created_by: &'a str,
    ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplayFilter)]
struct Filter<'a> {
    state: Option<DeliveryState>,
    handler: Option<&'a str>,
    event_id: Option<EventId>,
    event_type: Option<&'a TypePattern>,
    source: Option<&'a str>,
    location_uid: Option<&'a str>,
    conversation_uid: Option<&'a str>,
    received_after: Option<Timestamp>,
    received_before: Option<Timestamp>,
}

impl<'a> From<&'a Replay> for ReplayStatus<'a> {
    fn from(replay: &'a Replay) -> Self {
        let (filter, event) = (&replay.filter, &replay.filter.event);
        Self {
            id: replay.id,
            state: replay.state,
            matched: replay.matched,
            replayed: replay.replayed,
            progress: replay.progress(),
            rate: replay.rate,
            only_failed: filter.state == Some(DeliveryState::Dead),
            filter: Filter {
                state: filter.state,
                handler: filter.handler.as_deref(),
                event_id: filter.event_id,
                event_type: event.event_type.as_ref(),
                source: event.source.as_deref(),
                location_uid: event.location_uid.as_deref(),
                conversation_uid: event.conversation_uid.as_deref(),
                received_after: event.received_after,
                received_before: event.received_before,
            },
            created_at: replay.created_at,
            created_by: &replay.created_by,
            ended_at: replay.ended_at,
        }
    }
}

/// Where a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplayState {
    /// Some of it is still to come.
    Running,
    /// It is through.
    Done,
    /// It was called off; what it had opened by then stays open.
    Cancelled,
}

impl ReplayState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Cancelled];

    /// The state's name, as the API and both databases spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ReplayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state of a replay")]
pub struct UnknownReplayState;

impl FromStr for ReplayState {
    type Err = UnknownReplayState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownReplayState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_of_closed_deliveries_and_of_dead_ones_unless_others_are_asked_for() {
        let state_of = |state, only_failed| {
            let filter = DeliveryFilter { state, ..DeliveryFilter::default() };
            Replay::narrowed(filter, only_failed).map(|filter| filter.state)
        };
        assert_eq!(state_of(None, true), Some(Some(DeliveryState::Dead)));
        assert_eq!(state_of(Some(DeliveryState::Dead), true), Some(Some(DeliveryState::Dead)));
        assert_eq!(state_of(Some(DeliveryState::Done), true), None);
        assert_eq!(state_of(None, false), Some(None));
        assert_eq!(state_of(Some(DeliveryState::Done), false), Some(Some(DeliveryState::Done)));
        for only_failed in [true, false] {
            assert_eq!(state_of(Some(DeliveryState::Pending), only_failed), None);
        }
    }

    #[test]
    fn progress_is_whole_only_at_the_end() {
        let filter = DeliveryFilter::default();
        let mut replay = Replay::new(filter, 1, Some(3000), String::new(), Timestamp::UNIX_EPOCH);
        replay.replayed = 2999;
        assert!((replay.progress() - 0.999).abs() < 1e-9);
        replay.state = ReplayState::Done;
        assert!((replay.progress() - 1.0).abs() < 1e-9);
        replay.state = ReplayState::Running;
        for matched in [Some(0), None] {
            replay.matched = matched;
            assert!(replay.progress().abs() < 1e-9);
        }
    }
}
