//! What is listed and looked up. Lists never read a body.

use jiff::Timestamp;
use sqlx::{Row, SqliteExecutor, SqlitePool};
use uuid::Uuid;

use super::{batch, map, sql};
use crate::model::{
    Attempt, Backlog, Content, Delivery, DeliveryFilter, DeliveryId, DeliveryState, EventFilter, EventId,
    EventRecord, PageRequest, Queue,
};
use crate::store::{QueueRef, kept};

/// See [`crate::store::Store::events`].
pub(super) async fn events(
    readers: &SqlitePool,
    filter: &EventFilter,
    page: PageRequest<EventId>,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let ids = kept::event_ids(filter, page);
    let statement = match (&filter.conversation_uid, &filter.location_uid) {
        (Some(_), _) => sql::EVENTS_OF_CONVERSATION,
        (None, Some(_)) => sql::EVENTS_OF_LOCATION,
        (None, None) => sql::EVENTS,
    };
    let rows = sqlx::query(statement)
        .bind(ids.start)
        .bind(ids.end)
        .bind(filter.event_type.as_ref().map(map::glob))
        .bind(&filter.source)
        .bind(&filter.location_uid)
        .bind(&filter.conversation_uid)
        .bind(page.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::event).collect()
}

/// See [`crate::store::Store::event`].
pub(super) async fn event(readers: &SqlitePool, id: EventId) -> Result<Option<EventRecord>, sqlx::Error> {
    let row = sqlx::query(sql::EVENT).bind(id.as_uuid()).fetch_optional(readers).await?;
    row.as_ref().map(map::event).transpose()
}

/// See [`crate::store::Store::contents`].
pub(super) async fn contents(
    readers: &SqlitePool,
    ids: &[EventId],
) -> Result<Vec<(EventId, Content)>, sqlx::Error> {
    let ids = batch::json_ids(ids.iter().map(|id| id.as_uuid()))?;
    let rows = sqlx::query(sql::CONTENTS).bind(ids).fetch_all(readers).await?;
    rows.iter().map(|row| Ok((row.try_get::<Uuid, _>("event_id")?.into(), map::content(row)?))).collect()
}

/// See [`crate::store::Store::deliveries`].
pub(super) async fn deliveries(
    readers: &SqlitePool,
    filter: &DeliveryFilter,
    page: PageRequest<DeliveryId>,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let statement = match (filter.event_id, &filter.event.conversation_uid, filter.state) {
        (Some(_), _, _) => sql::DELIVERIES_OF_EVENT,
        (None, Some(_), _) => sql::DELIVERIES_OF_CONVERSATION,
        (None, None, Some(DeliveryState::Pending)) => sql::PENDING_DELIVERIES,
        (None, None, Some(DeliveryState::Dead)) => sql::DEAD_DELIVERIES,
        (None, None, Some(DeliveryState::Done) | None) => sql::DELIVERIES,
    };
    let rows = map::narrowed(sqlx::query(statement), filter)
        .bind(kept::below(page))
        .bind(page.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::delivery).collect()
}

/// See [`crate::store::Store::delivery`].
pub(super) async fn delivery(
    executor: impl SqliteExecutor<'_>,
    id: DeliveryId,
) -> Result<Option<Delivery>, sqlx::Error> {
    let row = sqlx::query(sql::DELIVERY).bind(id.as_uuid()).fetch_optional(executor).await?;
    row.as_ref().map(map::delivery).transpose()
}

/// See [`crate::store::Store::attempts`].
pub(super) async fn attempts(readers: &SqlitePool, id: DeliveryId) -> Result<Vec<Attempt>, sqlx::Error> {
    let rows = sqlx::query(sql::ATTEMPTS).bind(id.as_uuid()).fetch_all(readers).await?;
    rows.iter().map(map::attempt).collect()
}

/// See [`crate::store::Store::queue`].
pub(super) async fn queue(readers: &SqlitePool, queue: &QueueRef) -> Result<Option<Queue>, sqlx::Error> {
    let row = sqlx::query(sql::QUEUE)
        .bind(&queue.handler)
        .bind(&queue.ordering_key)
        .fetch_optional(readers)
        .await?;
    row.as_ref().map(map::queue).transpose()
}

/// See [`crate::store::Store::oldest_open`].
pub(super) async fn oldest_open(readers: &SqlitePool) -> Result<Vec<(String, Timestamp)>, sqlx::Error> {
    let rows = sqlx::query(sql::OLDEST_OPEN).fetch_all(readers).await?;
    rows.iter().map(map::oldest_open).collect()
}

/// See [`crate::store::Store::backlog`].
pub(super) async fn backlog(readers: &SqlitePool) -> Result<Vec<Backlog>, sqlx::Error> {
    let rows = sqlx::query(sql::BACKLOG).fetch_all(readers).await?;
    rows.iter().map(map::backlog).collect()
}
