//! Making events durable, with the deliveries that follow from them.

use sqlx::{Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::map::instant;
use super::sql;
use crate::model::{NewDelivery, NewEvent};
use crate::store::{Acceptance, kept};

/// See [`crate::store::Store::accept`].
pub(super) async fn accept(writer: &SqlitePool, batch: &[NewEvent]) -> Result<Vec<Acceptance>, sqlx::Error> {
    let mut transaction = writer.begin_with(sql::BEGIN).await?;
    let mut answers = Vec::with_capacity(batch.len());
    for event in batch {
        answers.push(accept_one(&mut transaction, event).await?);
    }
    transaction.commit().await?;
    Ok(answers)
}

async fn accept_one(connection: &mut SqliteConnection, event: &NewEvent) -> Result<Acceptance, sqlx::Error> {
    if !add_event(connection, event).await? {
        let row =
            sqlx::query(sql::KNOWN_KEY).bind(&event.dedup_key.as_bytes()[..]).fetch_one(connection).await?;
        return Ok(Acceptance::Duplicate(row.try_get::<Uuid, _>("id")?.into()));
    }
    sqlx::query(sql::ADD_UNMIRRORED).bind(event.record.id.as_uuid()).execute(&mut *connection).await?;
    sqlx::query(sql::ADD_BODY)
        .bind(event.record.id.as_uuid())
        .bind(kept::headers(&event.content.headers))
        .bind(&event.content.body[..])
        .execute(&mut *connection)
        .await?;
    for delivery in &event.deliveries {
        add_delivery(connection, event, delivery).await?;
    }
    Ok(Acceptance::Accepted(event.record.id))
}

/// Whether the event is new.
async fn add_event(connection: &mut SqliteConnection, event: &NewEvent) -> Result<bool, sqlx::Error> {
    let record = &event.record;
    let added = sqlx::query(sql::ADD_EVENT)
        .bind(record.id.as_uuid())
        .bind(&event.dedup_key.as_bytes()[..])
        .bind(&record.source)
        .bind(&record.event_type)
        .bind(&record.event_uid)
        .bind(&record.subject_uid)
        .bind(&record.conversation_uid)
        .bind(&record.contact_uid)
        .bind(&record.location_uid)
        .bind(&record.organization_uid)
        .bind(record.occurred_at.map(instant))
        .bind(instant(record.received_at))
        .bind(&record.verified_by)
        .bind(&record.decode_error)
        .execute(connection)
        .await?;
    Ok(added.rows_affected() == 1)
}

async fn add_delivery(
    connection: &mut SqliteConnection,
    event: &NewEvent,
    delivery: &NewDelivery,
) -> Result<(), sqlx::Error> {
    let opened_at = instant(delivery.opened_at);
    sqlx::query(sql::GROW_QUEUE)
        .bind(&delivery.handler)
        .bind(&delivery.ordering_key)
        .bind(opened_at)
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::ADD_DELIVERY)
        .bind(delivery.id.as_uuid())
        .bind(event.record.id.as_uuid())
        .bind(&delivery.handler)
        .bind(&delivery.ordering_key)
        .bind(opened_at)
        .execute(connection)
        .await?;
    Ok(())
}
