//! Telling of deliveries that were given up: by an event, so that whoever is told of everything else is told of this, too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::intake::{Intake, told};
use crate::clock::Clock;
use crate::model::DeliveryId;
use crate::store::{Store, StoreError};
use crate::telemetry::{Chain, surviving};

/// How many wait at most to be told of; of more the log tells, and the list of dead deliveries.
pub const WAITING: usize = 1024;

/// How often it is tried to tell of one, and how long between.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_secs(3);

/// Tells of every delivery that comes, until nobody can send more. What is told of is not told of twice; what is left of it when
/// the process dies is not told of.
pub async fn tell_of_dead_letters(
    mut dead: mpsc::Receiver<DeliveryId>,
    store: Arc<dyn Store>,
    intake: Arc<dyn Intake>,
    clock: Arc<dyn Clock>,
) {
    while let Some(delivery) = dead.recv().await {
        for turn in 1..=TRIES {
            match surviving("telling of a dead letter", tell(delivery, &*store, &*intake, &*clock)).await {
                Some(Err(error)) if turn < TRIES => {
                    tracing::debug!(%delivery, error = %Chain(&error), "a dead letter can't be told of yet");
                    sleep(AGAIN).await;
                }
                Some(Err(error)) => {
                    tracing::warn!(%delivery, error = %Chain(&error), "a dead letter was not told of");
                }
                _ => break,
            }
        }
    }
}

async fn tell(
    id: DeliveryId,
    store: &dyn Store,
    intake: &dyn Intake,
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let Some(delivery) = store.delivery(id).await? else { return Ok(()) };
    let Some(event) = store.event(delivery.event_id).await? else { return Ok(()) };
    // Whoever can't be told of anything can't be told of that either.
    if event.event_type.starts_with("lectern.") {
        return Ok(());
    }
    let attempts = store.attempts(id).await?;
    let data = json!({
        "deliveryId": id, "handler": delivery.handler, "attempts": attempts.len(),
        "error": attempts.last().and_then(|attempt| attempt.error.as_deref()),
        "eventId": event.id, "eventType": event.event_type, "eventUid": event.event_uid,
    });
    // A delivery that is replayed and dies again is told of again.
    let uid = format!("lectern:dead_letter:{id}:{}", attempts.len());
    intake.take_in(vec![told(&event.source, "lectern.dead_letter", &uid, clock.now(), data)]).await?;
    Ok(())
}
