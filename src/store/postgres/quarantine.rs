//! Requests that failed verification: kept within bounds, read again, forgotten.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;

use super::map::{self, column, instant};
use super::repeat::repeated;
use super::sql;
use crate::model::{
    InQuarantine, PageRequest, QuarantineBounds, QuarantineFilter, QuarantineId, Quarantined,
    QuarantinedRequest,
};
use crate::store::kept;

/// See [`crate::store::Store::quarantine`].
pub(super) async fn keep(
    pool: &PgPool,
    batch: &[QuarantinedRequest],
    bounds: QuarantineBounds,
) -> Result<Vec<bool>, sqlx::Error> {
    let kept: HashSet<Uuid> = repeated(|| {
        sqlx::query_scalar(sql::QUARANTINE)
            .bind(column(batch, |new| new.request.id.as_uuid()))
            .bind(column(batch, |new| new.request.source.as_str()))
            .bind(column(batch, |new| instant(new.request.received_at)))
            .bind(column(batch, |new| new.request.reason.as_str()))
            .bind(column(batch, |new| new.request.held))
            .bind(column(batch, |new| kept::count(new.weight())))
            .bind(column(batch, |new| kept::headers(&new.content.headers)))
            .bind(column(batch, |new| &new.content.body[..]))
            .bind(i64::from(bounds.requests))
            .bind(kept::count(bounds.bytes))
            .bind(i64::from(bounds.held_requests_each))
            .bind(kept::count(bounds.held_bytes_each))
            .fetch_all(pool)
    })
    .await?
    .into_iter()
    .collect();
    Ok(batch.iter().map(|new| kept.contains(&new.request.id.as_uuid())).collect())
}

/// See [`crate::store::Store::quarantined`].
pub(super) async fn list(
    pool: &PgPool,
    filter: &QuarantineFilter,
    page: PageRequest<QuarantineId>,
) -> Result<Vec<Quarantined>, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, None, page.below);
    let rows = sqlx::query(sql::QUARANTINED)
        .bind(ids.start)
        .bind(ids.end)
        .bind(&filter.source)
        .bind(&filter.reason)
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(map::quarantined).collect()
}

/// See [`crate::store::Store::quarantined_request`].
pub(super) async fn one(pool: &PgPool, id: QuarantineId) -> Result<Option<QuarantinedRequest>, sqlx::Error> {
    let row = sqlx::query(sql::QUARANTINED_REQUEST).bind(id.as_uuid()).fetch_optional(pool).await?;
    row.as_ref().map(map::quarantined_request).transpose()
}

/// See [`crate::store::Store::oldest_quarantined`].
pub(super) async fn oldest(
    pool: &PgPool,
    filter: &QuarantineFilter,
    after: Option<QuarantineId>,
    at_most: u32,
) -> Result<Vec<QuarantinedRequest>, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, after, None);
    let rows = sqlx::query(sql::OLDEST_QUARANTINED)
        .bind(ids.start)
        .bind(ids.end)
        .bind(&filter.source)
        .bind(&filter.reason)
        .bind(i64::from(at_most))
        .fetch_all(pool)
        .await?;
    rows.iter().map(map::quarantined_request).collect()
}

/// See [`crate::store::Store::in_quarantine`].
pub(super) async fn count(pool: &PgPool) -> Result<Vec<InQuarantine>, sqlx::Error> {
    let rows = sqlx::query(sql::IN_QUARANTINE).fetch_all(pool).await?;
    rows.iter().map(map::in_quarantine).collect()
}

/// See [`crate::store::Store::forget_quarantined`].
pub(super) async fn forget(pool: &PgPool, ids: &[QuarantineId]) -> Result<u64, sqlx::Error> {
    let ids = column(ids, |id| id.as_uuid());
    let forgotten = repeated(|| sqlx::query(sql::FORGET_QUARANTINED).bind(&ids).execute(pool)).await?;
    Ok(forgotten.rows_affected())
}

/// See [`crate::store::Store::empty_quarantine`].
pub(super) async fn empty(
    pool: &PgPool,
    filter: &QuarantineFilter,
    at_most: u32,
) -> Result<u64, sqlx::Error> {
    let ids = kept::quarantine_ids(filter, None, None);
    let forgotten = repeated(|| {
        sqlx::query(sql::EMPTY_QUARANTINE)
            .bind(ids.start)
            .bind(ids.end)
            .bind(&filter.source)
            .bind(&filter.reason)
            .bind(i64::from(at_most))
            .execute(pool)
    })
    .await?;
    Ok(forgotten.rows_affected())
}
