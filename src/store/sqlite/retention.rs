//! Forgetting.

use jiff::Timestamp;
use sqlx::{Row, SqlitePool};
use uuid::Uuid;

use super::sql;
use crate::store::kept;

/// All that goes with an event, and last the event.
const FORGET: [&str; 8] = [
    sql::FORGET_ATTEMPTS,
    sql::FORGET_DELIVERIES,
    sql::FORGET_BODY,
    sql::FORGET_UNMIRRORED,
    sql::FORGET_SKIPPED,
    sql::FORGET_TOLD_BY,
    sql::FORGET_FED,
    sql::FORGET_EVENT,
];

/// See [`crate::store::Store::forget_before`].
pub(super) async fn forget_before(
    writer: &SqlitePool,
    before: Timestamp,
    at_most: u32,
) -> Result<u64, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let old = sqlx::query(sql::FORGETTABLE)
        .bind(kept::first_id_from(before))
        .bind(at_most)
        .fetch_all(&mut *transaction)
        .await?;
    for row in &old {
        let id: Uuid = row.try_get("id")?;
        for statement in FORGET {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(old.len() as u64)
}
