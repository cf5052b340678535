//! A delivery: one handler's duty to one event.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DeliveryId, EventFilter, EventId};

/// A delivery that follows from a new event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Our name for the delivery.
    pub id: DeliveryId,
    /// The handler that owes it.
    pub handler: String,
    /// The queue of that handler in which it waits: deliveries of one queue run one after another.
    pub ordering_key: String,
    /// When the duty begins, from which its tries are counted: the event may have arrived long before.
    pub opened_at: Timestamp,
}

/// A delivery as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Our name for the delivery.
    pub id: DeliveryId,
    /// The event that is owed.
    pub event_id: EventId,
    /// That event's type.
    pub event_type: String,
    /// The handler that owes it.
    pub handler: String,
    /// Its queue within the handler.
    pub ordering_key: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts were made, those before a replay included.
    pub attempts: u32,
    /// How many attempts failed since the duty began, or began again with a replay.
    pub failures: u32,
    /// When the duty began, or began again with a replay.
    pub opened_at: Timestamp,
    /// When it was done or given up.
    pub settled_at: Option<Timestamp>,
    /// Why a person called it done.
    pub note: Option<String>,
}

/// How a queue stands: the open deliveries of one handler with one ordering key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many deliveries it holds.
    pub pending: u32,
    /// When its turn is.
    pub due_at: Timestamp,
    /// The dead delivery for whose sake it waits; none when it goes on.
    pub parked_by: Option<DeliveryId>,
}

/// What a handler has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The handler's name.
    pub handler: String,
    /// How many of its deliveries are open.
    pub open: u64,
    /// How many of its queues wait for a person.
    pub parked: u64,
    /// How many of its deliveries are dead.
    pub dead: u64,
    /// Since when the longest waiting of its queues is due; later than now when all wait to be tried again.
    pub oldest_due_at: Option<Timestamp>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Waiting for its turn, being handled, or waiting to be tried again.
    Pending,
    /// The handler has done it.
    Done,
    /// Given up: it waits for a person.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Done, Self::Dead];

    /// The state's name, as the API and both databases spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a delivery state: use pending, done or dead")]
pub struct UnknownState;

impl FromStr for DeliveryState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// Which deliveries a list shows, or a replay is of: those that meet every condition that is set. A condition that is not
/// known is never passed over where this is read: more would be replayed than was meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryFilter {
    /// It stands so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeliveryState>,
    /// This handler owes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// It belongs to this event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Its event fits.
    pub event: EventFilter,
}

impl DeliveryFilter {
    /// Whether it says nothing but how a delivery stands: then it is of every handler and every event.
    #[must_use]
    pub fn is_of_everything(&self) -> bool {
        let Self { state: _, handler, event_id, event } = self;
        handler.is_none() && event_id.is_none() && *event == EventFilter::default()
    }
}
