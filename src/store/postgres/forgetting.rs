//! Forgetting, by age and by name.

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::repeat::repeated;
use super::sql::forgetting as sql;
use super::sql::{mirror, moving};
use super::transaction::begin;
use super::weeks::{self, Outcome};
use super::{LATER, NotNow};
use crate::model::{EventId, Forgettable, ResourceKind};
use crate::store::kept;

/// See [`crate::store::ForgettingStore::forget_before`].
pub(super) async fn forget_before(
    pool: &PgPool,
    what: Forgettable,
    before: Timestamp,
    at_most: u32,
    not_now: &NotNow,
) -> Result<u64, sqlx::Error> {
    let end = kept::first_id_from(before);
    let statement = match what {
        Forgettable::Deliveries => sql::FORGET_DELIVERIES,
        Forgettable::Bodies => return forget_bodies(pool, end, at_most, not_now).await,
        Forgettable::Events => sql::FORGET_EVENTS,
        Forgettable::Quarantined => sql::FORGET_OLD_QUARANTINED,
    };
    let forgotten =
        repeated(|| sqlx::query(statement).bind(end).bind(i64::from(at_most)).execute(pool)).await?;
    Ok(forgotten.rows_affected())
}

/// A week at once where that is possible; one by one what lies in no week, and what lies in a week of which a body is still
/// needed.
async fn forget_bodies(pool: &PgPool, end: Uuid, at_most: u32, not_now: &NotNow) -> Result<u64, sqlx::Error> {
    let mut one_by_one: Vec<String> = sqlx::query_scalar(sql::MIXED_BODIES).fetch_all(pool).await?;
    for week in weeks::over(pool, end).await? {
        // Whoever asks for a lock that is not to be had has webhooks wait: not again and again.
        if not_now.is_set(Instant::now()) {
            break;
        }
        match weeks::drop_one(pool, &week).await? {
            Outcome::Dropped(bodies) => return Ok(bodies),
            Outcome::Needed if !one_by_one.contains(&week.name) => one_by_one.push(week.name),
            Outcome::Needed => {}
            Outcome::InUse => not_now.set(Instant::now() + LATER),
        }
    }
    for name in one_by_one {
        // The name is that of a table of ours.
        let statement = format!(
            "DELETE FROM {name} WHERE event_id IN (
                SELECT event_id FROM {name} AS old
                WHERE event_id < $1
                    AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = old.event_id)
                    AND NOT EXISTS (SELECT FROM mirror_inbox WHERE mirror_inbox.event_id = old.event_id)
                ORDER BY event_id LIMIT $2
            )"
        );
        let forgotten = sqlx::query(AssertSqlSafe(statement))
            .bind(end)
            .bind(i64::from(at_most))
            .execute(pool)
            .await?
            .rows_affected();
        if forgotten > 0 {
            return Ok(forgotten);
        }
    }
    Ok(0)
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
    let mut transaction = begin(readers).await?;
    sqlx::query(moving::TAKE_ALL_THE_TIME).execute(&mut *transaction).await?;
    let end = kept::first_id_from(before);
    let count: i64 = sqlx::query_scalar(statement).bind(end).fetch_one(&mut *transaction).await?;
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
    repeated(|| take_out_of_the_mirror(pool, resources)).await
}

async fn take_out_of_the_mirror(
    pool: &PgPool,
    resources: &[(ResourceKind, String)],
) -> Result<u64, sqlx::Error> {
    let kinds: Vec<&str> = resources.iter().map(|(kind, _)| kind.as_str()).collect();
    let uids: Vec<&str> = resources.iter().map(|(_, uid)| uid.as_str()).collect();
    let mut transaction = begin(pool).await?;
    // What is written to the mirror at the same moment, and what goes from it, would not see one another, and a conversation would come to
    // what neither of them leaves.
    sqlx::query(mirror::LOCK_MIRROR).execute(&mut *transaction).await?;
    let talks: Vec<String> = sqlx::query_scalar(mirror::CONVERSATIONS_OF)
        .bind(kept::forgotten_messages(resources))
        .fetch_all(&mut *transaction)
        .await?;
    let forgotten =
        sqlx::query(mirror::FORGET_RESOURCES).bind(&kinds).bind(&uids).execute(&mut *transaction).await?;
    if !talks.is_empty() {
        sqlx::query(mirror::MIRROR_TALKS).bind(talks).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(forgotten.rows_affected())
}
