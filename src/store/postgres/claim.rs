//! Leasing queues that are due, and reading what they hold.

use jiff::Timestamp;
use sqlx::{PgPool, Row};

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::sql;
use crate::store::kept::Leased;
use crate::store::{Claim, Claimed, Due, LeasedQueue};

/// See [`crate::store::Store::claim`].
pub(super) async fn claim(pool: &PgPool, claim: &Claim) -> Result<Claimed, sqlx::Error> {
    let leased = repeated(|| lease(pool, claim)).await?;
    let claimed = what_was_leased(pool, claim, &leased).await;
    if claimed.is_err() && !leased.is_empty() {
        // Nobody would be at these queues until their leases end. Where this fails too, that is how long they wait.
        let _ = repeated(|| give_back(pool, claim, &leased)).await;
    }
    claimed
}

async fn what_was_leased(pool: &PgPool, claim: &Claim, leased: &[Leased]) -> Result<Claimed, sqlx::Error> {
    let next_due = sqlx::query(sql::NEXT_DUE)
        .bind(&claim.handler)
        .bind(instant(claim.due_from.unwrap_or(Timestamp::MIN)))
        .fetch_optional(pool)
        .await?
        .map(|row| map::timestamp(&row, "due_at"))
        .transpose()?;
    let queues = if leased.is_empty() { Vec::new() } else { open_deliveries(pool, claim, leased).await? };
    Ok(Claimed { queues, next_due })
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

async fn give_back(pool: &PgPool, claim: &Claim, leased: &[Leased]) -> Result<(), sqlx::Error> {
    sqlx::query(sql::GIVE_BACK)
        .bind(&claim.handler)
        .bind(column(leased, |queue| queue.ordering_key.as_str()))
        .bind(claim.token.0)
        .execute(pool)
        .await?;
    Ok(())
}

async fn open_deliveries(
    pool: &PgPool,
    claim: &Claim,
    leased: &[Leased],
) -> Result<Vec<LeasedQueue>, sqlx::Error> {
    let mut rows = sqlx::query(sql::OPEN_DELIVERIES)
        .bind(&claim.handler)
        .bind(column(leased, |queue| queue.ordering_key.as_str()))
        .bind(i64::from(claim.deliveries_each))
        .fetch_all(pool)
        .await?;
    rows.sort_by_cached_key(|row| row.try_get::<i64, _>("position").ok());
    let mut queues: Vec<LeasedQueue> = leased.iter().map(|queue| queue.under(claim)).collect();
    for row in &rows {
        let due = Due { delivery: map::delivery(row)?, event: map::event(row)?, content: map::content(row)? };
        let nth: i64 = row.try_get("nth")?;
        if let Some(queue) = map::index(nth).and_then(|nth| queues.get_mut(nth)) {
            queue.due.push(due);
        }
    }
    queues.retain(|queue| !queue.due.is_empty());
    Ok(queues)
}
