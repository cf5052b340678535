//! What follows a claim: renewing leases, settling them, and opening deliveries again.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::batch::{self, Settlements};
use super::map::{self, instant};
use super::{read, sql};
use crate::model::{Delivery, DeliveryId};
use crate::store::{Lease, Settlement, kept};

/// See [`crate::store::Store::renew`].
pub(super) async fn renew(
    writer: &SqlitePool,
    leases: &[Lease],
    until: Timestamp,
) -> Result<Vec<Lease>, sqlx::Error> {
    let rows = sqlx::query(sql::RENEW)
        .bind(batch::leases(leases.iter())?)
        .bind(instant(until))
        .fetch_all(writer)
        .await?;
    let held: HashSet<Lease> = rows.iter().map(map::lease).collect::<Result<_, _>>()?;
    Ok(leases.iter().filter(|lease| held.contains(lease)).cloned().collect())
}

/// See [`crate::store::Store::settle`].
pub(super) async fn settle(
    writer: &SqlitePool,
    settlements: &[Settlement],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let written = first_that_are_held(&mut transaction, settlements).await?;
    let held: Vec<&Settlement> = settlements
        .iter()
        .zip(&written)
        .filter_map(|(settlement, held)| held.then_some(settlement))
        .collect();
    sqlx::query(sql::SETTLE).bind(batch::json(&Settlements::of(&held))?).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(written)
}

/// Which settlements find their leases held: of several under one lease, the first.
async fn first_that_are_held(
    connection: &mut SqliteConnection,
    settlements: &[Settlement],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut met = HashSet::with_capacity(settlements.len());
    let mut held: Vec<bool> = settlements.iter().map(|settlement| met.insert(&settlement.lease)).collect();
    let leases = batch::leases(settlements.iter().map(|settlement| &settlement.lease))?;
    let lost: Vec<i64> = sqlx::query_scalar(sql::LOST).bind(leases).fetch_all(connection).await?;
    for nth in lost {
        if let Some(held) = usize::try_from(nth).ok().and_then(|nth| held.get_mut(nth)) {
            *held = false;
        }
    }
    Ok(held)
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
