//! What follows a claim: renewing leases, settling them, and opening deliveries again.

use jiff::Timestamp;
use sqlx::PgPool;

use super::map::{column, index, instant};
use super::repeat::repeated;
use super::{read, sql};
use crate::model::{Delivery, DeliveryId, DeliveryState};
use crate::store::{FinishedAttempt, Lease, Settlement, StoreError, kept};

/// How often a delivery is to be opened again that is settled each time at the same moment.
const TRIES: usize = 3;

/// See [`crate::store::Store::renew`].
pub(super) async fn renew(
    pool: &PgPool,
    leases: &[Lease],
    until: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    let mut held = repeated(|| {
        sqlx::query_scalar::<_, i64>(sql::RENEW)
            .bind(column(leases, |lease| lease.queue.handler.as_str()))
            .bind(column(leases, |lease| lease.queue.ordering_key.as_str()))
            .bind(column(leases, |lease| lease.token.0))
            .bind(instant(until))
            .fetch_all(pool)
    })
    .await?;
    held.sort_unstable();
    Ok(held.into_iter().filter_map(|nth| leases.get(index(nth)?).cloned()).collect())
}

/// See [`crate::store::Store::settle`].
pub(super) async fn settle(pool: &PgPool, settlements: &[Settlement]) -> Result<Vec<bool>, sqlx::Error> {
    let mut written = vec![false; settlements.len()];
    if settlements.is_empty() {
        return Ok(written);
    }
    for nth in repeated(|| write_settlements(pool, settlements)).await? {
        if let Some(written) = index(nth).and_then(|nth| written.get_mut(nth)) {
            *written = true;
        }
    }
    Ok(written)
}

async fn write_settlements(pool: &PgPool, settlements: &[Settlement]) -> Result<Vec<i64>, sqlx::Error> {
    let finished: Vec<(i64, &FinishedAttempt)> = (1..)
        .zip(settlements)
        .flat_map(|(nth, settlement)| settlement.attempts.iter().map(move |attempt| (nth, attempt)))
        .collect();
    sqlx::query_scalar(sql::SETTLE)
        .bind(column(settlements, |settlement| settlement.lease.queue.handler.as_str()))
        .bind(column(settlements, |settlement| settlement.lease.queue.ordering_key.as_str()))
        .bind(column(settlements, |settlement| settlement.lease.token.0))
        .bind(column(settlements, |settlement| instant(settlement.due_at)))
        .bind(column(&finished, |(nth, _)| *nth))
        .bind(column(&finished, |(_, attempt)| attempt.delivery.as_uuid()))
        .bind(column(&finished, |(_, attempt)| attempt.state.as_str()))
        .bind(column(&finished, |(_, attempt)| kept::settled_at(attempt).map(instant)))
        .bind(column(&finished, |(_, attempt)| instant(attempt.started_at)))
        .bind(column(&finished, |(_, attempt)| kept::microseconds(attempt.duration)))
        .bind(column(&finished, |(_, attempt)| attempt.outcome.as_str()))
        .bind(column(&finished, |(_, attempt)| attempt.status))
        .bind(column(&finished, |(_, attempt)| attempt.output.as_deref().map(kept::text)))
        .bind(column(&finished, |(_, attempt)| attempt.error.as_deref().map(kept::text)))
        .bind(column(settlements, |settlement| settlement.parked_by.map(DeliveryId::as_uuid)))
        .bind(column(settlements, |settlement| settlement.attempts.is_empty()))
        .bind(column(settlements, kept::retries))
        .fetch_all(pool)
        .await
}

/// See [`crate::store::Store::replay`].
///
/// A settlement that commits while REPLAY runs is not in its snapshot: it sees a delivery that is open and somebody at
/// its queue, so it has nothing to do. Where the delivery is found closed after that, it is opened by another run.
pub(super) async fn replay(
    pool: &PgPool,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<Delivery>, StoreError> {
    for _ in 0..TRIES {
        let changed: bool = repeated(|| {
            sqlx::query_scalar(sql::REPLAY).bind(id.as_uuid()).bind(instant(now)).fetch_one(pool)
        })
        .await?;
        let delivery = read::delivery(pool, id).await?;
        let is_closed = delivery.as_ref().is_some_and(|delivery| delivery.state != DeliveryState::Pending);
        if changed || !is_closed {
            return Ok(delivery);
        }
    }
    Err(StoreError::Unavailable("the delivery was settled as often as it was to be opened again".into()))
}

/// See [`crate::store::Store::resolve`].
pub(super) async fn resolve(
    pool: &PgPool,
    id: DeliveryId,
    note: &str,
    now: Timestamp,
) -> Result<Option<Delivery>, sqlx::Error> {
    repeated(|| {
        sqlx::query(sql::RESOLVE).bind(id.as_uuid()).bind(instant(now)).bind(kept::text(note)).execute(pool)
    })
    .await?;
    read::delivery(pool, id).await
}
