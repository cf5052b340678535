//! What a handler wants to hear of, in which order, and what becomes of the order when one is given up.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DeliveryId, EventRecord, NewDelivery, Origin, TypePattern};

/// Which events a handler wants, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The handler's name.
    pub handler: String,
    /// It wants events whose type fits one of these. What Lectern itself tells must fit one that begins with `lectern.`.
    pub types: Vec<TypePattern>,
    /// It wants only events of these locations; empty means every event, those without a location included.
    pub locations: Vec<String>,
    /// Which of its deliveries wait for one another.
    pub ordering: Ordering,
}

/// What Lectern itself has to tell is meant only where it is named: a system that takes whatever Podium says knows nothing of it, and
/// may be the one that it is about.
fn is_meant(pattern: &TypePattern, event: &EventRecord) -> bool {
    event.origin != Origin::Lectern || pattern.as_str().starts_with("lectern.")
}

/// Which deliveries of a handler wait for one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// Those of one conversation (else of one contact, invoice, …) run one after another, in the order in which
    /// their events were accepted.
    #[default]
    Conversation,
    /// None.
    None,
}

/// What becomes of the later deliveries of an ordering key in which one is dead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDead {
    /// They go on.
    #[default]
    Continue,
    /// They wait until a person has replayed the dead one or called it done.
    Park,
}

impl Subscription {
    /// The delivery that `event` means for this handler, if it wants the event. `ordering_key` names what the event
    /// is ordered with; none when it stands alone. The duty begins at `opened_at`.
    #[must_use]
    pub fn delivery(
        &self,
        event: &EventRecord,
        ordering_key: Option<&str>,
        opened_at: Timestamp,
    ) -> Option<NewDelivery> {
        self.wants(event).then(|| {
            let ordering_key = match (self.ordering, ordering_key) {
                (Ordering::Conversation, Some(key)) => key.to_owned(),
                // A queue of its own: nothing waits for it, and it waits for nothing.
                _ => format!("event:{}", event.id),
            };
            let handler = self.handler.clone();
            NewDelivery { id: DeliveryId::at(opened_at), handler, ordering_key, opened_at }
        })
    }

    fn wants(&self, event: &EventRecord) -> bool {
        let at_location = self.locations.is_empty()
            || event.location_uid.as_ref().is_some_and(|location| self.locations.contains(location));
        at_location
            && self.types.iter().any(|pattern| pattern.matches(&event.event_type) && is_meant(pattern, event))
    }
}
