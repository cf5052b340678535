//! What is listed and looked up. Lists never read a body.

use jiff::Timestamp;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::{map, sql};
use crate::model::{
    Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, EventFilter, EventId, EventRecord,
    PageRequest, Queue,
};
use crate::store::{QueueRef, kept};

/// See [`crate::store::Store::events`].
pub(super) async fn events(
    pool: &PgPool,
    filter: &EventFilter,
    page: PageRequest<EventId>,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let ids = kept::event_ids(filter, page);
    let rows = sqlx::query(sql::EVENTS)
        .bind(ids.start)
        .bind(ids.end)
        .bind(filter.event_type.as_ref().map(map::like))
        .bind(&filter.source)
        .bind(&filter.location_uid)
        .bind(&filter.conversation_uid)
        .bind(i64::from(page.limit))
        .persistent(false)
        .fetch_all(pool)
        .await?;
    rows.iter().map(map::event).collect()
}

/// See [`crate::store::Store::event`].
pub(super) async fn event(pool: &PgPool, id: EventId) -> Result<Option<EventRecord>, sqlx::Error> {
    let row = sqlx::query(sql::EVENT).bind(id.as_uuid()).fetch_optional(pool).await?;
    row.as_ref().map(map::event).transpose()
}

/// See [`crate::store::Store::contents`].
pub(super) async fn contents(pool: &PgPool, ids: &[EventId]) -> Result<Vec<(EventId, Content)>, sqlx::Error> {
    let ids = map::column(ids, |id| id.as_uuid());
    let rows = sqlx::query(sql::CONTENTS).bind(ids).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get::<Uuid, _>("event_id")?.into(), map::content(row)?))).collect()
}

/// See [`crate::store::Store::deliveries`].
pub(super) async fn deliveries(
    pool: &PgPool,
    filter: &DeliveryFilter,
    page: PageRequest<DeliveryId>,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = map::narrowed(sqlx::query(sql::DELIVERIES), filter)
        .bind(kept::below(page))
        .bind(i64::from(page.limit))
        .persistent(false)
        .fetch_all(pool)
        .await?;
    rows.iter().map(map::delivery).collect()
}

/// See [`crate::store::Store::delivery`].
pub(super) async fn delivery(pool: &PgPool, id: DeliveryId) -> Result<Option<Delivery>, sqlx::Error> {
    let row = sqlx::query(sql::DELIVERY).bind(id.as_uuid()).fetch_optional(pool).await?;
    row.as_ref().map(map::delivery).transpose()
}

/// See [`crate::store::Store::attempts`].
pub(super) async fn attempts(pool: &PgPool, id: DeliveryId) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = sqlx::query(sql::ATTEMPTS).bind(id.as_uuid()).fetch_all(pool).await?;
    rows.iter().map(map::attempt).collect()
}

/// See [`crate::store::Store::queue`].
pub(super) async fn queue(readers: &PgPool, queue: &QueueRef) -> Result<Option<Queue>, sqlx::Error> {
    let row = sqlx::query(sql::QUEUE)
        .bind(&queue.handler)
        .bind(&queue.ordering_key)
        .fetch_optional(readers)
        .await?;
    row.as_ref().map(map::queue).transpose()
}

/// See [`crate::store::Store::oldest_open`].
pub(super) async fn oldest_open(readers: &PgPool) -> Result<Vec<(String, Timestamp)>, sqlx::Error> {
    // Planned each time, by how much there is: it is asked rarely, and a plan for little would read whole queues.
    let rows = sqlx::query(sql::OLDEST_OPEN).persistent(false).fetch_all(readers).await?;
    rows.iter().map(map::oldest_open).collect()
}

/// See [`crate::store::Store::backlog`].
pub(super) async fn backlog(readers: &PgPool) -> Result<Vec<Backlog>, sqlx::Error> {
    let rows = sqlx::query(sql::BACKLOG).fetch_all(readers).await?;
    rows.iter().map(map::backlog).collect()
}
