//! What handlers have been doing of late.

use jiff::Timestamp;
use sqlx::SqlitePool;

use super::map::{self, instant};
use super::sql;
use crate::model::Activity;
use crate::store::kept;

/// See [`crate::store::Store::note_activity`].
pub(super) async fn note(
    writer: &SqlitePool,
    slot: Timestamp,
    noted: &[Activity],
    forget_before: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    for activity in noted {
        sqlx::query(sql::NOTE_ACTIVITY)
            .bind(instant(slot))
            .bind(&activity.handler)
            .bind(kept::count(activity.done))
            .bind(kept::count(activity.failed))
            .bind(activity.failing_until.map(instant))
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(sql::FORGET_ACTIVITY).bind(instant(forget_before)).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// See [`crate::store::Store::activity`].
pub(super) async fn since(readers: &SqlitePool, since: Timestamp) -> Result<Vec<Activity>, sqlx::Error> {
    let rows = sqlx::query(sql::ACTIVITY).bind(instant(since)).fetch_all(readers).await?;
    rows.iter().map(map::activity).collect()
}
