//! Events that came by no request: they are made and accepted as those that did, but for the signature, and past the spool.
//! Whoever has such an event has it again tomorrow.

use std::sync::Arc;

use bytes::Bytes;

use super::decode::again;
use super::subscriber::Subscriber;
use crate::clock::Clock;
use crate::model::{Arrival, Content, EventId, NewEvent, Origin};
use crate::store::{Acceptance, Store, StoreError};

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
            again(arrival, origin, &self.subscribers, now).into_parts().0
        };
        let events: Vec<NewEvent> = bodies.into_iter().map(event).collect();
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let accepted = self.store.accept(&events).await?;
        Ok(accepted.iter().map(|one| matches!(one, Acceptance::Accepted(_))).collect())
    }
}
