//! Leasing queues that are due, and reading what they hold.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgPool, Row};

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::{read, sql};
use crate::store::kept::Leased;
use crate::store::{Claim, Claimed, Due, LeasedQueue, large};

/// See [`crate::store::Store::claim`].
pub(super) async fn claim(pool: &PgPool, claim: &Claim) -> Result<Claimed, sqlx::Error> {
    let leased = repeated(|| lease(pool, claim)).await?;
    let (claimed, left) = match what_was_leased(pool, claim, &leased).await {
        Ok((claimed, left)) => (Ok(claimed), left),
        Err(error) => (Err(error), leased.into_iter().map(|queue| queue.ordering_key).collect()),
    };
    if !left.is_empty() {
        // Nobody would be at these queues until their leases end. Where this fails too, that is how long they wait.
        let _ = repeated(|| give_back(pool, claim, &left)).await;
    }
    claimed
}

/// What is handed out, and the queues that are not.
async fn what_was_leased(
    pool: &PgPool,
    claim: &Claim,
    leased: &[Leased],
) -> Result<(Claimed, Vec<String>), sqlx::Error> {
    let next_due = sqlx::query(sql::NEXT_DUE)
        .bind(&claim.handler)
        .bind(instant(claim.due_from.unwrap_or(Timestamp::MIN)))
        .fetch_optional(pool)
        .await?
        .map(|row| map::timestamp(&row, "due_at"))
        .transpose()?;
    if leased.is_empty() {
        return Ok((Claimed { queues: Vec::new(), next_due }, Vec::new()));
    }
    let (queues, left) = open_deliveries(pool, claim, leased).await?;
    let next_due = left.iter().map(|queue| queue.due_at).chain(next_due).min();
    Ok((Claimed { queues, next_due }, left.into_iter().map(|queue| queue.lease.queue.ordering_key).collect()))
}

async fn lease(pool: &PgPool, claim: &Claim) -> Result<Vec<Leased>, sqlx::Error> {
    let rows = sqlx::query(if claim.news_only { sql::LEASE_NEWS } else { sql::LEASE })
        .bind(&claim.handler)
        .bind(instant(claim.now))
        .bind(i64::from(claim.queues))
        .bind(instant(claim.until))
        .bind(claim.token.0)
        .bind(instant(claim.due_from.unwrap_or(Timestamp::MIN)))
        .fetch_all(pool)
        .await?;
    rows.iter().map(map::leased).collect()
}

async fn give_back(pool: &PgPool, claim: &Claim, ordering_keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query(sql::GIVE_BACK)
        .bind(&claim.handler)
        .bind(ordering_keys)
        .bind(claim.token.0)
        .execute(pool)
        .await?;
    Ok(())
}

/// The queues with their deliveries, and those apart whose first body has no room.
async fn open_deliveries(
    pool: &PgPool,
    claim: &Claim,
    leased: &[Leased],
) -> Result<(Vec<LeasedQueue>, Vec<LeasedQueue>), sqlx::Error> {
    let mut rows = sqlx::query(sql::OPEN_DELIVERIES)
        .bind(&claim.handler)
        .bind(column(leased, |queue| queue.ordering_key.as_str()))
        .bind(i64::from(claim.deliveries_each))
        .bind(large::SMALL)
        .fetch_all(pool)
        .await?;
    rows.sort_by_cached_key(|row| row.try_get::<i64, _>("position").ok());
    let mut queues: Vec<LeasedQueue> = leased.iter().map(|queue| queue.under(claim)).collect();
    let mut large_ones = HashMap::new();
    for row in &rows {
        let due = Due { delivery: map::delivery(row)?, event: map::event(row)?, content: map::content(row)? };
        let size: i64 = row.try_get("size")?;
        if size > large::SMALL {
            large_ones.insert(due.event.id, size);
        }
        let nth: i64 = row.try_get("nth")?;
        if let Some(queue) = map::index(nth).and_then(|nth| queues.get_mut(nth)) {
            queue.due.push(due);
        }
    }
    queues.retain(|queue| !queue.due.is_empty());
    if large_ones.is_empty() {
        return Ok((queues, Vec::new()));
    }
    let read = read::contents(pool, &large::wanted(&queues, &large_ones)).await?;
    Ok(large::put_in(queues, &large_ones, read))
}
