//! Leasing queues that are due, and reading what they hold.

use sqlx::PgPool;

use super::map::{self, instant};
use super::repeat::repeated;
use super::sql;
use crate::store::{Claim, Claimed, Due, Lease, LeasedQueue, QueueRef};

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

async fn what_was_leased(pool: &PgPool, claim: &Claim, leased: &[String]) -> Result<Claimed, sqlx::Error> {
    let next_due = sqlx::query(sql::NEXT_DUE)
        .bind(&claim.handler)
        .bind(claim.token.0)
        .fetch_optional(pool)
        .await?
        .map(|row| map::timestamp(&row, "due_at"))
        .transpose()?;
    let queues = if leased.is_empty() { Vec::new() } else { open_deliveries(pool, claim, leased).await? };
    Ok(Claimed { queues, next_due })
}

async fn lease(pool: &PgPool, claim: &Claim) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(sql::LEASE)
        .bind(&claim.handler)
        .bind(instant(claim.now))
        .bind(i64::from(claim.queues))
        .bind(instant(claim.until))
        .bind(claim.token.0)
        .fetch_all(pool)
        .await
}

async fn give_back(pool: &PgPool, claim: &Claim, leased: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query(sql::GIVE_BACK)
        .bind(&claim.handler)
        .bind(leased)
        .bind(claim.token.0)
        .bind(instant(claim.now))
        .execute(pool)
        .await?;
    Ok(())
}

async fn open_deliveries(
    pool: &PgPool,
    claim: &Claim,
    leased: &[String],
) -> Result<Vec<LeasedQueue>, sqlx::Error> {
    let rows = sqlx::query(sql::OPEN_DELIVERIES)
        .bind(&claim.handler)
        .bind(leased)
        .bind(i64::from(claim.deliveries_each))
        .fetch_all(pool)
        .await?;
    let mut queues: Vec<LeasedQueue> = Vec::with_capacity(leased.len());
    for row in &rows {
        let due = Due { delivery: map::delivery(row)?, event: map::event(row)?, content: map::content(row)? };
        let ordering_key = &due.delivery.ordering_key;
        match queues.last_mut() {
            Some(queue) if queue.lease.queue.ordering_key == *ordering_key => queue.due.push(due),
            _ => {
                let queue = QueueRef { handler: claim.handler.clone(), ordering_key: ordering_key.clone() };
                queues.push(LeasedQueue { lease: Lease { queue, token: claim.token }, due: vec![due] });
            }
        }
    }
    Ok(queues)
}
