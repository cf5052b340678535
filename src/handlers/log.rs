//! The kind `log`: one line in the log for each event.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Failure, Handler, Success, Work};
use crate::config::{Settings, SettingsError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {}

/// Makes a handler of this kind. It has no settings of its own.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    Ok(Box::new(settings.read::<Log>()?))
}

#[async_trait]
impl Handler for Log {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        let Work { event, delivery, .. } = work;
        // Never the body: what customers write is not for the log.
        tracing::info!(
            handler = delivery.handler,
            event_id = %event.id,
            event_type = event.event_type,
            source = event.source,
            event_uid = event.event_uid,
            subject_uid = event.subject_uid,
            conversation_uid = event.conversation_uid,
            location_uid = event.location_uid,
            occurred_at = event.occurred_at.map(tracing::field::display),
            received_at = %event.received_at,
            delivery_id = %delivery.id,
            attempt = work.attempt(),
            "event"
        );
        Ok(Success::done())
    }
}
