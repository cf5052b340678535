//! Forgetting, by age and by name.

use jiff::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, SqlSafeStr};
use tokio::time::Instant;
use uuid::Uuid;

use super::repeat::repeated;
use super::sql::forgetting as sql;
use super::sql::{mirror, moving};
use super::transaction::begin;
use super::weeks::{self, Outcome};
use super::{LATER, NotNow};
use crate::model::{EventId, Forgettable, ResourceKind};
use crate::store::forgetting::LOOK;
use crate::store::{Forgotten, Reached, kept};

/// See [`crate::store::ForgettingStore::forget_before`].
pub(super) async fn forget_before(
    pool: &PgPool,
    what: Forgettable,
    from: Reached,
    before: Timestamp,
    at_most: u32,
    not_now: &NotNow,
) -> Result<Forgotten, sqlx::Error> {
    let end = kept::first_id_from(before);
    let (window, statement) = match what {
        Forgettable::Deliveries => (sql::WINDOW_OF_DELIVERIES, sql::FORGET_DELIVERIES),
        Forgettable::Bodies => return forget_bodies(pool, from, end, at_most, not_now).await,
        Forgettable::Events => (sql::WINDOW_OF_EVENTS, sql::FORGET_EVENTS),
        Forgettable::Quarantined => (sql::WINDOW_OF_QUARANTINE, sql::FORGET_OLD_QUARANTINED),
    };
    let step = Step { from: from.id, end, at_most };
    step.take(pool, window, || sqlx::query_scalar(statement)).await
}

/// A step through one table.
struct Step {
    from: Uuid,
    end: Uuid,
    at_most: u32,
}

impl Step {
    async fn take(
        &self,
        pool: &PgPool,
        window: impl SqlSafeStr,
        statement: impl Fn() -> QueryScalar<'static, Postgres, Uuid, PgArguments>,
    ) -> Result<Forgotten, sqlx::Error> {
        let end: Option<Uuid> =
            sqlx::query_scalar(window).bind(self.from).bind(self.end).bind(LOOK).fetch_optional(pool).await?;
        // More of one event than a step looks at are looked at all the same.
        let end = end.filter(|end| *end > self.from);
        let gone = repeated(|| {
            let range = statement().bind(self.from).bind(end.unwrap_or(self.end));
            range.bind(i64::from(self.at_most)).fetch_all(pool)
        });
        Ok(Forgotten::in_window(&gone.await?, self.at_most, end))
    }
}

/// A week at once where that is possible, at the beginning of a round; after that one by one what lies in no week, and what lies in a week of
/// which a body is still needed.
async fn forget_bodies(
    pool: &PgPool,
    from: Reached,
    end: Uuid,
    at_most: u32,
    not_now: &NotNow,
) -> Result<Forgotten, sqlx::Error> {
    let (mut is_held_up, is_beginning) = (false, from == Reached::default());
    let mut tables = mixed(pool).await?;
    for week in weeks::over(pool, end).await? {
        let is_needed = if is_beginning {
            // Whoever asks for a lock that is not to be had has webhooks wait: not again and again.
            let may_lock = !not_now.is_set(Instant::now());
            match weeks::drop_one(pool, &week, may_lock).await? {
                Outcome::Dropped(count) => return Ok(Forgotten { count, reached: Some(from), is_held_up }),
                Outcome::Needed => true,
                Outcome::InUse => {
                    is_held_up = true;
                    if may_lock {
                        not_now.set(Instant::now() + LATER);
                    }
                    false
                }
            }
        } else {
            weeks::is_needed(pool, &week).await?
        };
        // The other ones that are left go together another time.
        tables.retain(|(_, name)| *name != week.name);
        if is_needed {
            tables.push((week.end(), week.name));
        }
    }
    tables.sort();
    for (place, table) in tables.into_iter().filter(|(place, _)| *place >= from.place) {
        let begin = if place == from.place { from.id } else { Uuid::nil() };
        let step = one_by_one(pool, &table, Step { from: begin, end, at_most }).await?;
        if step.count > 0 || step.reached.is_some() {
            // At its end the next one's turn is found by a step that forgets nothing.
            let id = step.reached.map_or(end, |reached| reached.id);
            return Ok(Forgotten { reached: Some(Reached { place, id }), is_held_up, ..step });
        }
    }
    Ok(Forgotten { is_held_up, ..Forgotten::default() })
}

/// The tables in which bodies lie that are not of one week, each with its place among all.
async fn mixed(pool: &PgPool) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(sql::MIXED_BODIES).fetch_all(pool).await?;
    // What was there before there were weeks comes first, what is of no week last.
    let place = |name: &str| if name.ends_with("_before") { Uuid::nil() } else { Uuid::max() };
    Ok(names.into_iter().map(|name| (place(&name), name)).collect())
}

async fn one_by_one(pool: &PgPool, table: &str, step: Step) -> Result<Forgotten, sqlx::Error> {
    // The name is that of a table of ours.
    let window = format!(
        "SELECT event_id FROM {table} WHERE event_id >= $1 AND event_id < $2 ORDER BY event_id LIMIT 1 OFFSET $3"
    );
    let statement = format!(
        "DELETE FROM {table} WHERE event_id IN (
            SELECT event_id FROM {table} AS old
            WHERE event_id >= $1 AND event_id < $2
                AND NOT EXISTS (SELECT FROM deliveries WHERE deliveries.event_id = old.event_id)
                AND NOT EXISTS (SELECT FROM mirror_inbox WHERE mirror_inbox.event_id = old.event_id)
            ORDER BY event_id LIMIT $3 FOR UPDATE SKIP LOCKED
        ) RETURNING event_id"
    );
    step.take(pool, AssertSqlSafe(window), || sqlx::query_scalar(AssertSqlSafe(statement.clone()))).await
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
