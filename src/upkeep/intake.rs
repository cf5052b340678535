//! Events that nobody sent: what was read back from Podium, and what Lectern itself has to tell.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::Origin;
use crate::store::StoreError;

/// An event that came by no request.
#[derive(Clone, Debug)]
pub struct Inward {
    /// The source that it belongs to.
    pub source: String,
    /// The body, in the form of Podium's own.
    pub body: Bytes,
    /// Where it is from.
    pub origin: Origin,
}

/// What accepts such events: in order, with their deliveries, and each only once.
#[async_trait]
pub trait Intake: Send + Sync + 'static {
    /// Accepts them, all or nothing. Returns of each whether it is new.
    async fn take_in(&self, events: Vec<Inward>) -> Result<Vec<bool>, StoreError>;
}

/// An event of Lectern's own. `uid` is its name, the same however often it is told.
#[must_use]
pub fn told(source: &str, event_type: &str, uid: &str, at: Timestamp, mut data: Value) -> Inward {
    if let Some(data) = data.as_object_mut() {
        data.insert("source".to_owned(), source.into());
        // By this name and no other it is when the event happened.
        data.insert("createdAt".to_owned(), at.to_string().into());
    }
    let body = json!({
        "data": data,
        "metadata": { "eventType": event_type, "eventUid": uid, "version": "2021.04.01" },
    });
    Inward { source: source.to_owned(), body: body.to_string().into(), origin: Origin::Lectern }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::podium;

    #[test]
    fn what_lectern_tells_is_read_like_what_podium_tells() {
        let at: Timestamp = "2026-11-22T09:30:00Z".parse().unwrap();
        let told = told("north", "lectern.silence", "silence:north:1", at, json!({ "hours": 3 }));
        let decoded = podium::decode(&told.body);
        assert_eq!(decoded.event_type.as_str(), "lectern.silence");
        assert_eq!(decoded.event_uid.as_deref(), Some("silence:north:1"));
        assert_eq!(decoded.keys.occurred_at, Some(at));
        assert!(decoded.event.is_ok());
    }
}
