//! Forgetting.

use jiff::Timestamp;
use sqlx::PgPool;

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
    let forgotten =
        repeated(|| sqlx::query(sql::FORGET).bind(end).bind(i64::from(at_most)).execute(pool)).await?;
    Ok(forgotten.rows_affected())
}
