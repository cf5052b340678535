//! The tables that bodies lie in, one for each week: weeks are counted from 1970, so they begin on Thursdays.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::{AssertSqlSafe, PgConnection, PgExecutor, PgPool, Row as _};
use uuid::Uuid;

use super::sql::forgetting as sql;
use super::transaction::begin;
use crate::model::EventId;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A table all of whose bodies are old.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) name: String,
    /// The smallest identifier that it can have, and the one from which on it has none.
    ids: (Uuid, Uuid),
    /// About how many bodies it has, as far as the database knows.
    bodies: u64,
}

/// What became of a table that was to be dropped.
pub(super) enum Outcome {
    /// It is gone, with so many bodies.
    Dropped(u64),
    /// A body of it is still needed.
    Needed,
    /// Somebody would have had to wait.
    InUse,
}

/// Makes the tables of the weeks from one moment until another. A week of which there are bodies elsewhere already has none, and neither
/// has one for which somebody would have to wait.
pub(super) async fn make(pool: &PgPool, from: Timestamp, until: Timestamp) -> Result<(), sqlx::Error> {
    let mut week = first_of_week(from);
    while week <= until {
        let end = week.checked_add(WEEK).unwrap_or(Timestamp::MAX);
        let ids = (EventId::floor(week).as_uuid(), EventId::floor(end).as_uuid());
        // Once without a lock, which is all that happens most of the time.
        if !has_week(&mut *pool.acquire().await?, &name(week), ids).await? {
            unless_waiting(make_one(pool, &name(week), ids).await)?;
        }
        week = end;
    }
    Ok(())
}

async fn has_week(
    connection: &mut PgConnection,
    name: &str,
    (first, end): (Uuid, Uuid),
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(sql::HAS_WEEK).bind(name).bind(first).bind(end).fetch_one(connection).await
}

async fn make_one(pool: &PgPool, name: &str, ids: (Uuid, Uuid)) -> Result<(), sqlx::Error> {
    let mut transaction = begin(pool).await?;
    sqlx::query(sql::WAIT_BRIEFLY).execute(&mut *transaction).await?;
    // Another process may be at it, or have done it.
    let is_alone: bool = sqlx::query_scalar(sql::LOCK_WEEKS).fetch_one(&mut *transaction).await?;
    if is_alone && !has_week(&mut transaction, name, ids).await? {
        let (first, end) = ids;
        // Made first and attached then: acceptances go on meanwhile. The names and the identifiers are ours, not anybody's text.
        for statement in [
            format!("CREATE TABLE {name} (LIKE event_bodies INCLUDING ALL)"),
            format!(
                "ALTER TABLE event_bodies ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')"
            ),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

/// The tables all of whose bodies are before `end`, the oldest first.
pub(super) async fn over(pool: &PgPool, end: Uuid) -> Result<Vec<Over>, sqlx::Error> {
    let rows = sqlx::query(sql::OLD_WEEKS).bind(end).fetch_all(pool).await?;
    let over = |row: &sqlx::postgres::PgRow| {
        Ok(Over {
            name: row.try_get("name")?,
            ids: (row.try_get::<Option<Uuid>, _>("first")?.unwrap_or_default(), row.try_get("end")?),
            bodies: row.try_get::<i64, _>("bodies")?.unsigned_abs(),
        })
    };
    rows.iter().map(over).collect()
}

impl Over {
    /// The identifier from which on it has no body.
    pub(super) fn end(&self) -> Uuid {
        self.ids.1
    }
}

/// Drops a table, unless a body of it is still needed, or it is not to be asked for its lock.
pub(super) async fn drop_one(pool: &PgPool, week: &Over, may_lock: bool) -> Result<Outcome, sqlx::Error> {
    // Once without a lock.
    if is_needed(pool, week).await? {
        return Ok(Outcome::Needed);
    }
    if !may_lock {
        return Ok(Outcome::InUse);
    }
    let dropping = async {
        let mut transaction = begin(pool).await?;
        sqlx::query(sql::WAIT_BRIEFLY).execute(&mut *transaction).await?;
        let is_alone: bool = sqlx::query_scalar(sql::LOCK_WEEKS).fetch_one(&mut *transaction).await?;
        if !is_alone {
            return Ok(Outcome::InUse);
        }
        // From here on whoever accepts something waits for us: what follows takes a moment, or is given up.
        let detach = AssertSqlSafe(format!("ALTER TABLE event_bodies DETACH PARTITION {}", week.name));
        sqlx::raw_sql(detach).execute(&mut *transaction).await?;
        if is_needed(&mut *transaction, week).await? {
            return Ok(Outcome::Needed);
        }
        let drop = AssertSqlSafe(format!("DROP TABLE {}", week.name));
        sqlx::raw_sql(drop).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Outcome::Dropped(week.bodies.max(1)))
    };
    Ok(unless_waiting(dropping.await)?.unwrap_or(Outcome::InUse))
}

/// Whether there is a delivery of an event whose body it has, or one that is yet to be mirrored: by their identifiers, so that not
/// one body is looked at.
pub(super) async fn is_needed(asked: impl PgExecutor<'_>, week: &Over) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(sql::NEEDS_BODIES).bind(week.ids.0).bind(week.ids.1).fetch_one(asked).await
}

/// None where it can't be now: a lock was not to be had in a moment, or something took its time under it, and webhooks must not wait behind
/// that; or another process, or a body that came in between, was there first.
fn unless_waiting<T>(outcome: Result<T, sqlx::Error>) -> Result<Option<T>, sqlx::Error> {
    /// No lock; out of time; overlapping ranges; a row in the way; a table that is there already; one that is not there any more.
    const LATER: [&str; 6] = ["55P03", "57014", "42P17", "23514", "42P07", "42P01"];
    match outcome {
        Err(sqlx::Error::Database(refused))
            if refused.code().is_some_and(|code| LATER.contains(&code.as_ref())) =>
        {
            tracing::debug!(error = %refused, "a table of bodies is left as it is for now");
            Ok(None)
        }
        outcome => outcome.map(Some),
    }
}

fn first_of_week(at: Timestamp) -> Timestamp {
    let week = i64::try_from(WEEK.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(at.as_second().div_euclid(week) * week).unwrap_or(at)
}

/// By its first day, for whoever looks at the database.
fn name(week: Timestamp) -> String {
    format!("event_bodies_{}", week.to_zoned(TimeZone::UTC).strftime("%Y_%m_%d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_the_name_of_its_first_day() {
        let named = |text: &str| name(first_of_week(text.parse().unwrap()));
        assert_eq!(named("2026-11-26T00:00:00Z"), "event_bodies_2026_11_26");
        assert_eq!(named("2026-12-02T23:59:59.999999Z"), "event_bodies_2026_11_26");
        assert_eq!(named("2026-12-03T00:00:00Z"), "event_bodies_2026_12_03");
    }
}
