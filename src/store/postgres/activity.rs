//! What handlers have been doing of late.

use jiff::Timestamp;
use sqlx::PgPool;

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::Activity;
use crate::store::kept;

/// See [`crate::store::Store::note_activity`].
pub(super) async fn note(
    pool: &PgPool,
    slot: Timestamp,
    noted: &[Activity],
    forget_before: Timestamp,
) -> Result<(), sqlx::Error> {
    repeated(|| {
        sqlx::query(sql::NOTE_ACTIVITY)
            .bind(instant(slot))
            .bind(column(noted, |activity| activity.handler.as_str()))
            .bind(column(noted, |activity| kept::count(activity.done)))
            .bind(column(noted, |activity| kept::count(activity.failed)))
            .bind(column(noted, |activity| activity.failing_until.map(instant)))
            .bind(instant(forget_before))
            .execute(pool)
    })
    .await?;
    Ok(())
}

/// See [`crate::store::Store::activity`].
pub(super) async fn since(readers: &PgPool, since: Timestamp) -> Result<Vec<Activity>, sqlx::Error> {
    let rows = sqlx::query(sql::ACTIVITY).bind(instant(since)).fetch_all(readers).await?;
    rows.iter().map(map::activity).collect()
}
