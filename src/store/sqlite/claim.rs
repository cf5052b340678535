//! Leasing queues that are due, and reading what they hold.

use jiff::Timestamp;
use sqlx::{SqliteExecutor, SqlitePool};

use super::map::{self, instant};
use super::sql;
use crate::store::kept::Leased;
use crate::store::{Claim, Claimed, Due, LeasedQueue};

/// See [`crate::store::Store::claim`].
pub(super) async fn claim(
    writer: &SqlitePool,
    readers: &SqlitePool,
    claim: &Claim,
) -> Result<Claimed, sqlx::Error> {
    // Looking costs nobody anything; leasing keeps every acceptance waiting for a moment.
    let leased =
        if due(readers, claim, 1).await?.is_empty() { Vec::new() } else { lease(writer, claim).await? };
    let claimed = what_was_leased(readers, claim, &leased).await;
    if claimed.is_err() && !leased.is_empty() {
        // Nobody would be at these queues until their leases end. Where this fails too, that is how long they wait.
        let _ = give_back(writer, claim, &leased).await;
    }
    claimed
}

async fn what_was_leased(
    readers: &SqlitePool,
    claim: &Claim,
    leased: &[Leased],
) -> Result<Claimed, sqlx::Error> {
    let next_due = sqlx::query(sql::NEXT_DUE)
        .bind(&claim.handler)
        .bind(instant(claim.due_from.unwrap_or(Timestamp::MIN)))
        .fetch_optional(readers)
        .await?
        .map(|row| map::timestamp(&row, "due_at"))
        .transpose()?;
    let mut queues = Vec::with_capacity(leased.len());
    // The bodies are read after the leases are committed: meanwhile others write.
    for queue in leased {
        let due = open_deliveries(readers, claim, &queue.ordering_key).await?;
        if !due.is_empty() {
            queues.push(LeasedQueue { due, ..queue.under(claim) });
        }
    }
    Ok(Claimed { queues, next_due })
}

async fn due(
    executor: impl SqliteExecutor<'_>,
    claim: &Claim,
    at_most: u32,
) -> Result<Vec<Leased>, sqlx::Error> {
    let rows = sqlx::query(if claim.news_only { sql::DUE_NEWS } else { sql::DUE })
        .bind(&claim.handler)
        .bind(instant(claim.now))
        .bind(at_most)
        .bind(instant(claim.due_from.unwrap_or(Timestamp::MIN)))
        .fetch_all(executor)
        .await?;
    rows.iter().map(map::leased).collect()
}

async fn lease(writer: &SqlitePool, claim: &Claim) -> Result<Vec<Leased>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let due = due(&mut *transaction, claim, claim.queues).await?;
    for queue in &due {
        sqlx::query(sql::LEASE)
            .bind(&claim.handler)
            .bind(&queue.ordering_key)
            .bind(instant(claim.until))
            .bind(claim.token.0)
            .bind(queue.lost)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(due)
}

async fn give_back(writer: &SqlitePool, claim: &Claim, leased: &[Leased]) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    for queue in leased {
        sqlx::query(sql::GIVE_BACK)
            .bind(&claim.handler)
            .bind(&queue.ordering_key)
            .bind(claim.token.0)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

async fn open_deliveries(
    readers: &SqlitePool,
    claim: &Claim,
    ordering_key: &str,
) -> Result<Vec<Due>, sqlx::Error> {
    let rows = sqlx::query(sql::OPEN_DELIVERIES)
        .bind(&claim.handler)
        .bind(ordering_key)
        .bind(claim.deliveries_each)
        .fetch_all(readers)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Due { delivery: map::delivery(row)?, event: map::event(row)?, content: map::content(row)? })
        })
        .collect()
}
