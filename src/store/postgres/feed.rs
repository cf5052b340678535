//! The feed: events in the order in which they were mirrored first.

use sqlx::{PgPool, Row};

use super::map;
use super::sql::mirror as sql;
use crate::model::EventRecord;

/// See [`crate::store::MirrorStore::feed`].
pub(super) async fn after(
    readers: &PgPool,
    after: u64,
    at_most: u32,
) -> Result<Vec<(u64, EventRecord)>, sqlx::Error> {
    let rows = sqlx::query(sql::FEED_AFTER)
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::from(at_most))
        .fetch_all(readers)
        .await?;
    rows.iter().map(|row| Ok((row.try_get::<i64, _>("position")?.unsigned_abs(), map::event(row)?))).collect()
}

/// See [`crate::store::MirrorStore::feed_end`].
pub(super) async fn end(readers: &PgPool) -> Result<u64, sqlx::Error> {
    let end: i64 = sqlx::query_scalar(sql::FEED_END).fetch_one(readers).await?;
    Ok(end.unsigned_abs())
}
