//! Pausing handlers.

use jiff::Timestamp;
use sqlx::{Row, SqlitePool};

use super::map::{self, instant};
use super::sql;

/// See [`crate::store::Store::pause`].
pub(super) async fn pause(
    pool: &SqlitePool,
    handler: &str,
    now: Timestamp,
) -> Result<Timestamp, sqlx::Error> {
    sqlx::query(sql::PAUSE).bind(handler).bind(instant(now)).execute(pool).await?;
    let paused = all(pool).await?;
    // Resumed at the same moment, it was paused for no time.
    Ok(paused.into_iter().find(|(name, _)| name == handler).map_or(now, |(_, since)| since))
}

/// See [`crate::store::Store::resume`].
pub(super) async fn resume(pool: &SqlitePool, handler: &str) -> Result<bool, sqlx::Error> {
    Ok(sqlx::query(sql::RESUME).bind(handler).execute(pool).await?.rows_affected() > 0)
}

/// See [`crate::store::Store::paused`].
pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<(String, Timestamp)>, sqlx::Error> {
    let rows = sqlx::query(sql::PAUSED).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get("handler")?, map::timestamp(row, "paused_at")?))).collect()
}
