//! Forgetting, by age and by name.

use jiff::Timestamp;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::repeat::repeated;
use super::{sql, weeks};
use crate::model::{EventId, Forgettable, ResourceKind};
use crate::store::kept;

/// See [`crate::store::ForgettingStore::forget_before`].
pub(super) async fn forget_before(
    pool: &PgPool,
    what: Forgettable,
    before: Timestamp,
    at_most: u32,
) -> Result<u64, sqlx::Error> {
    let end = kept::first_id_from(before);
    let statement = match what {
        Forgettable::Deliveries => sql::FORGET_DELIVERIES,
        Forgettable::Bodies => {
            let dropped = weeks::drop_before(pool, end).await?;
            if dropped > 0 {
                return Ok(dropped);
            }
            sql::FORGET_OTHER_BODIES
        }
        Forgettable::Events => sql::FORGET_EVENTS,
        Forgettable::Quarantined => sql::FORGET_OLD_QUARANTINED,
    };
    let forgotten =
        repeated(|| sqlx::query(statement).bind(end).bind(i64::from(at_most)).execute(pool)).await?;
    Ok(forgotten.rows_affected())
}

/// See [`crate::store::ForgettingStore::count_before`].
pub(super) async fn count_before(
    readers: &PgPool,
    what: Forgettable,
    before: Timestamp,
) -> Result<u64, sqlx::Error> {
    let statement = match what {
        Forgettable::Deliveries => sql::COUNT_OLD_DELIVERIES,
        Forgettable::Bodies => sql::COUNT_OLD_BODIES,
        Forgettable::Events => sql::COUNT_OLD_EVENTS,
        Forgettable::Quarantined => sql::COUNT_OLD_QUARANTINED,
    };
    let count: i64 =
        sqlx::query_scalar(statement).bind(kept::first_id_from(before)).fetch_one(readers).await?;
    Ok(count.unsigned_abs())
}

/// See [`crate::store::ForgettingStore::forget_contents`].
pub(super) async fn forget_contents(pool: &PgPool, ids: &[EventId]) -> Result<Vec<EventId>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    // One after the other, each a statement of its own: the second sees what became of the deliveries. From there on there is none to be
    // opened again.
    for statement in [sql::FORGET_DELIVERIES_OF, sql::FORGET_CONTENTS] {
        repeated(|| sqlx::query(statement).bind(&ids).execute(pool)).await?;
    }
    let rows = sqlx::query(sql::NOT_FORGOTTEN).bind(&ids).fetch_all(pool).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid, _>("event_id")?.into())).collect()
}

/// See [`crate::store::ForgettingStore::forget_resources`].
pub(super) async fn forget_resources(
    pool: &PgPool,
    resources: &[(ResourceKind, String)],
) -> Result<u64, sqlx::Error> {
    let kinds: Vec<&str> = resources.iter().map(|(kind, _)| kind.as_str()).collect();
    let uids: Vec<&str> = resources.iter().map(|(_, uid)| uid.as_str()).collect();
    let forgotten =
        repeated(|| sqlx::query(sql::mirror::FORGET_RESOURCES).bind(&kinds).bind(&uids).execute(pool))
            .await?;
    Ok(forgotten.rows_affected())
}
