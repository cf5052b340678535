//! What follows a claim: renewing leases, settling them, and opening deliveries again.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::map::instant;
use super::{read, sql};
use crate::model::{Delivery, DeliveryId, DeliveryState};
use crate::store::{FinishedAttempt, Lease, QueueRef, Settlement, kept};

/// See [`crate::store::Store::renew`].
pub(super) async fn renew(
    writer: &SqlitePool,
    leases: &[Lease],
    until: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let mut held = Vec::with_capacity(leases.len());
    for lease in leases {
        let renewed = sqlx::query(sql::RENEW)
            .bind(&lease.queue.handler)
            .bind(&lease.queue.ordering_key)
            .bind(lease.token.0)
            .bind(instant(until))
            .execute(&mut *transaction)
            .await?;
        if renewed.rows_affected() == 1 {
            held.push(lease.clone());
        }
    }
    transaction.commit().await?;
    Ok(held)
}

/// See [`crate::store::Store::settle`].
pub(super) async fn settle(
    writer: &SqlitePool,
    settlements: &[Settlement],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let mut written = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        written.push(settle_one(&mut transaction, settlement).await?);
    }
    transaction.commit().await?;
    Ok(written)
}

/// Whether the lease was still held.
async fn settle_one(connection: &mut SqliteConnection, settlement: &Settlement) -> Result<bool, sqlx::Error> {
    let Lease { queue, token } = &settlement.lease;
    let held = sqlx::query_scalar(sql::HELD)
        .bind(&queue.handler)
        .bind(&queue.ordering_key)
        .bind(token.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(mut pending): Option<i64> = held else { return Ok(false) };
    for attempt in &settlement.attempts {
        if write_attempt(connection, queue, attempt).await? && attempt.state != DeliveryState::Pending {
            pending -= 1;
        }
    }
    let ended = if pending > 0 || settlement.parked_by.is_some() {
        sqlx::query(sql::RELEASE_QUEUE)
            .bind(&queue.handler)
            .bind(&queue.ordering_key)
            .bind(pending)
            .bind(instant(settlement.due_at))
            .bind(settlement.parked_by.map(DeliveryId::as_uuid))
            .bind(settlement.attempts.is_empty())
            .bind(kept::retries(settlement))
    } else {
        sqlx::query(sql::END_QUEUE).bind(&queue.handler).bind(&queue.ordering_key)
    };
    ended.execute(connection).await?;
    Ok(true)
}

/// Whether the delivery was open.
async fn write_attempt(
    connection: &mut SqliteConnection,
    queue: &QueueRef,
    attempt: &FinishedAttempt,
) -> Result<bool, sqlx::Error> {
    let number = sqlx::query_scalar(sql::TRIED)
        .bind(&queue.handler)
        .bind(&queue.ordering_key)
        .bind(attempt.delivery.as_uuid())
        .bind(attempt.state.as_str())
        .bind(attempt.outcome.as_str())
        .bind(kept::settled_at(attempt).map(instant))
        .fetch_optional(&mut *connection)
        .await?;
    let Some(number): Option<i64> = number else { return Ok(false) };
    sqlx::query(sql::ADD_ATTEMPT)
        .bind(attempt.delivery.as_uuid())
        .bind(number)
        .bind(instant(attempt.started_at))
        .bind(kept::microseconds(attempt.duration))
        .bind(attempt.outcome.as_str())
        .bind(attempt.status)
        .bind(attempt.output.as_deref().map(kept::text))
        .bind(attempt.error.as_deref().map(kept::text))
        .execute(connection)
        .await?;
    Ok(true)
}

/// See [`crate::store::Store::replay`].
pub(super) async fn replay(
    writer: &SqlitePool,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<Delivery>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    open_again(&mut transaction, id, now).await?;
    let delivery = read::delivery(&mut *transaction, id).await?;
    transaction.commit().await?;
    Ok(delivery)
}

/// Opens a closed delivery, or makes an open one due.
pub(super) async fn open_again(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let reopened = sqlx::query(sql::REOPEN)
        .bind(id.as_uuid())
        .bind(instant(now))
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = reopened {
        sqlx::query(sql::GROW_QUEUE)
            .bind(row.try_get::<&str, _>("handler")?)
            .bind(row.try_get::<&str, _>("ordering_key")?)
            .bind(instant(now))
            .execute(&mut *connection)
            .await?;
    }
    for statement in [sql::UNPARK, sql::HASTEN] {
        sqlx::query(statement).bind(id.as_uuid()).bind(instant(now)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// See [`crate::store::Store::resolve`].
pub(super) async fn resolve(
    writer: &SqlitePool,
    id: DeliveryId,
    note: &str,
    now: Timestamp,
) -> Result<Option<Delivery>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let resolved = sqlx::query(sql::RESOLVE)
        .bind(id.as_uuid())
        .bind(instant(now))
        .bind(kept::text(note))
        .execute(&mut *transaction)
        .await?;
    if resolved.rows_affected() > 0 {
        sqlx::query(sql::END_PARKED).bind(id.as_uuid()).execute(&mut *transaction).await?;
        sqlx::query(sql::UNPARK).bind(id.as_uuid()).bind(instant(now)).execute(&mut *transaction).await?;
    }
    let delivery = read::delivery(&mut *transaction, id).await?;
    transaction.commit().await?;
    Ok(delivery)
}
