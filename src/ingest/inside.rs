//! Events that came by no request: they are made and accepted as those that did, but for the signature, and past the spool.
//! Whoever has such an event has it again tomorrow.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::decode::{again, labels};
use super::subscriber::Subscriber;
use crate::clock::Clock;
use crate::model::{Arrival, Content, EventId, NewEvent, Origin, TraceContext};
use crate::store::{Acceptance, Store, StoreError};
use crate::telemetry::traces;

/// Accepts events that came by no request.
pub struct Inside {
    subscribers: Vec<Subscriber>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Inside {
    /// Events with a delivery for each of these subscribers that wants them.
    #[must_use]
    pub fn new(subscribers: Vec<Subscriber>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { subscribers, store, clock }
    }

    /// Accepts bodies of sources, all or nothing, in this order. Returns of each whether it is new.
    ///
    /// # Errors
    /// When the store fails: then none may have been accepted, or all.
    pub async fn accept(&self, bodies: Vec<(String, Bytes, Origin)>) -> Result<Vec<bool>, StoreError> {
        let event = |(source, body, origin)| {
            let now = self.clock.now();
            let content = Content { headers: Vec::new(), body };
            let arrival =
                Arrival { id: EventId::at(now), source, received_at: now, verified_by: None, content };
            let (event, _) = again(arrival, origin, &self.subscribers, now);
            (labels(&event), event)
        };
        let (labels, events): (Vec<_>, Vec<NewEvent>) = bodies.into_iter().map(event).unzip();
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let accepted = self.store.accept(&events).await?;
        for ((source, event_type), acceptance) in labels.iter().zip(&accepted) {
            if let Acceptance::Accepted(id) = acceptance {
                self.trace(*id, source, event_type, begun);
            }
        }
        Ok(accepted.iter().map(|one| matches!(one, Acceptance::Accepted(_))).collect())
    }

    /// The attempts that follow have something to follow.
    fn trace(&self, event: EventId, source: &str, event_type: &'static str, begun: Instant) {
        if traces::are_sent() {
            let told = traces::Receipt {
                context: TraceContext::of_receipt(event),
                event_id: event.to_string(),
                source,
                event_type,
                outcome: "accepted",
                caused_by: None,
                is_of_request: false,
            };
            traces::received(&told, self.clock.now(), begun.elapsed());
        }
    }
}
