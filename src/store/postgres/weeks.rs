//! The tables that bodies lie in, one for each week: weeks are counted from 1970, so they begin on Thursdays.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::sql;
use crate::model::EventId;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Makes the tables of the weeks from one moment until another. A week of which there are bodies elsewhere already has none, and neither
/// has one for which somebody would have to wait.
pub(super) async fn make(pool: &PgPool, from: Timestamp, until: Timestamp) -> Result<(), sqlx::Error> {
    let mut week = first_of_week(from);
    while week <= until {
        let end = week.checked_add(WEEK).unwrap_or(Timestamp::MAX);
        let (first, last) = (EventId::floor(week).as_uuid(), EventId::floor(end).as_uuid());
        let is_there: bool =
            sqlx::query_scalar(sql::HAS_WEEK).bind(name(week)).bind(first).bind(last).fetch_one(pool).await?;
        if !is_there {
            let mut connection = pool.acquire().await?;
            unless_waiting(make_one(&mut connection, &name(week), first, last).await)?;
        }
        week = end;
    }
    Ok(())
}

async fn make_one(
    connection: &mut PgConnection,
    name: &str,
    first: Uuid,
    last: Uuid,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::WAIT_BRIEFLY).execute(&mut *transaction).await?;
    // Another process may be at it.
    if sqlx::query_scalar(sql::LOCK_WEEKS).fetch_one(&mut *transaction).await? {
        // Made first and attached then: acceptances go on meanwhile. The names and the identifiers are ours, not anybody's text.
        for statement in [
            format!("CREATE TABLE {name} (LIKE event_bodies INCLUDING ALL)"),
            format!(
                "ALTER TABLE event_bodies ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')"
            ),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

/// Drops the first table all of whose bodies are before `end`, if no delivery is left of any of their events, and says how many
/// bodies it had.
pub(super) async fn drop_before(pool: &PgPool, end: Uuid) -> Result<u64, sqlx::Error> {
    let over: Vec<String> = sqlx::query_scalar(sql::OLD_WEEKS).bind(end).fetch_all(pool).await?;
    for name in over {
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}"))).fetch_one(pool).await?;
        let mut connection = pool.acquire().await?;
        if unless_waiting(drop_one(&mut connection, &name).await)?.unwrap_or(false) {
            // One that was empty is no reason to end.
            if count > 0 {
                return Ok(count.unsigned_abs());
            }
        }
    }
    Ok(0)
}

async fn drop_one(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let is_needed =
        || AssertSqlSafe(format!("SELECT EXISTS (SELECT FROM {name} JOIN deliveries USING (event_id))"));
    // Once without a lock, which is all that happens where one delivery is open for long.
    if sqlx::query_scalar(is_needed()).fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    let mut transaction = connection.begin().await?;
    sqlx::query(sql::WAIT_BRIEFLY).execute(&mut *transaction).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("ALTER TABLE event_bodies DETACH PARTITION {name}")))
        .execute(&mut *transaction)
        .await?;
    if sqlx::query_scalar(is_needed()).fetch_one(&mut *transaction).await? {
        return Ok(false);
    }
    sqlx::raw_sql(AssertSqlSafe(format!("DROP TABLE {name}"))).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// None where a lock was not to be had in a moment: webhooks must not wait behind whoever waits for it.
fn unless_waiting<T>(outcome: Result<T, sqlx::Error>) -> Result<Option<T>, sqlx::Error> {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    match outcome {
        Err(sqlx::Error::Database(refused)) if refused.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => {
            tracing::debug!("a table of bodies is in use: it is tried again later");
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
