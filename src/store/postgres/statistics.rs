//! What arrived in a range of time, and what became of it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::map::{self, instant};
use super::sql::mirror as sql;
use crate::model::{EventCount, ResponseTimes, Statistics};
use crate::store::kept;

/// See [`crate::store::MirrorStore::statistics`].
pub(super) async fn between(
    readers: &PgPool,
    from: Timestamp,
    before: Timestamp,
) -> Result<Statistics, sqlx::Error> {
    let ids = kept::first_id_from(from)..kept::first_id_from(before);
    let events = sqlx::query(sql::COUNT_EVENTS)
        .bind(ids.start)
        .bind(ids.end)
        .persistent(false)
        .fetch_all(readers)
        .await?;
    let deliveries = sqlx::query(sql::COUNT_DELIVERIES)
        .bind(ids.start)
        .bind(ids.end)
        .persistent(false)
        .fetch_all(readers)
        .await?;
    let responses = sqlx::query(sql::RESPONSE_TIMES)
        .bind(instant(from))
        .bind(instant(before))
        .persistent(false)
        .fetch_one(readers)
        .await?;
    Ok(Statistics {
        events: events.iter().map(event_count).collect::<Result<_, _>>()?,
        deliveries: deliveries.iter().map(map::state_count).collect::<Result<_, _>>()?,
        responses: response_times(&responses)?,
    })
}

fn event_count(row: &PgRow) -> Result<EventCount, sqlx::Error> {
    Ok(EventCount {
        event_type: row.try_get("event_type")?,
        source: row.try_get("source")?,
        hour: map::timestamp(row, "hour")?,
        count: row.try_get::<i64, _>("number")?.unsigned_abs(),
    })
}

fn response_times(row: &PgRow) -> Result<ResponseTimes, sqlx::Error> {
    let duration = |column| {
        let microseconds: Option<i64> = row.try_get(column)?;
        Ok::<_, sqlx::Error>(microseconds.map(|number| Duration::from_micros(number.unsigned_abs())))
    };
    Ok(ResponseTimes {
        count: row.try_get::<i64, _>("number")?.unsigned_abs(),
        average: duration("average")?,
        median: duration("median")?,
        ninetieth: duration("ninetieth")?,
    })
}
