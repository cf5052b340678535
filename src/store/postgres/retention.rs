//! Forgetting.

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use super::repeat::repeated;
use super::sql;
use crate::store::kept;

/// See [`crate::store::Store::forget_before`].
pub(super) async fn forget_before(
    pool: &PgPool,
    before: Timestamp,
    at_most: u32,
) -> Result<u64, sqlx::Error> {
    let end = kept::first_id_from(before);
    let free: Vec<Uuid> = repeated(|| {
        sqlx::query_scalar(sql::FORGET_DELIVERIES).bind(end).bind(i64::from(at_most)).fetch_all(pool)
    })
    .await?;
    let forgotten = repeated(|| sqlx::query(sql::FORGET_EVENTS).bind(&free).execute(pool)).await?;
    Ok(forgotten.rows_affected())
}
