//! Deliveries: what handlers owe to events, and how often they tried.

use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Book, says};
use super::page::Page;
use super::params::{Form, FromParams, Params, Told};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{
    Attempt, AttemptOutcome, Delivery, DeliveryFilter, DeliveryId, DeliveryState, EventFilter, EventId, Queue,
};
use crate::store::QueueRef;

impl FromParams for DeliveryFilter {
    fn from_params(params: &mut Params) -> Self {
        Self {
            state: params.read_as(
                Form::Word(DeliveryState::ALL.map(DeliveryState::as_str).to_vec()),
                "state",
                "pending, done or dead",
                |text| text.parse().ok(),
            ),
            handler: params.text("handler"),
            event_id: params.read_as(Form::Uuid, "eventId", "a UUID", |text| text.parse().ok()),
            event: EventFilter {
                event_type: params.read(
                    "eventType",
                    "an event type or a pattern such as message.*",
                    |text| text.parse().ok(),
                ),
                source: params.text("source"),
                location_uid: params.text("locationUid"),
                conversation_uid: params.text("conversationUid"),
                received_after: params.moment("receivedAfter"),
                received_before: params.moment("receivedBefore"),
            },
        }
    }
}

/// The operations on deliveries.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Deliveries";
    let resolve = says(tag, "Call a dead one done")
        .more("It is done without a further attempt, and its conversation goes on where it waited for it.")
        .one::<DeliveryItem<'_>>();
    book.get(
        "/api/v1/deliveries",
        list,
        says(tag, "Deliveries, the newest first").page_of::<DeliveryItem<'_>>(),
    )
    .get(
        "/api/v1/events/{id}/deliveries",
        of_event,
        says(tag, "The deliveries of one event").page_of::<DeliveryItem<'_>>(),
    )
    .get(
        "/api/v1/deliveries/{id}",
        show,
        says(tag, "One delivery, with its attempts").one::<WholeDelivery<'_>>(),
    )
    .post("/api/v1/deliveries/{id}/replay", replay, says(tag, "Do it again").accepted::<DeliveryItem<'_>>())
    .post("/api/v1/deliveries/{id}/resolve", self::resolve, resolve.refuses(Refusal::NotDead))
}

/// `GET /api/v1/deliveries`
pub(super) async fn list(
    Extracted(state): Extracted<State>,
    page: Page<DeliveryFilter>,
) -> Result<Response, Refusal> {
    answer_with(&state, &page, &page.filter).await
}

/// `GET /api/v1/events/{id}/deliveries`
pub(super) async fn of_event(
    Extracted(state): Extracted<State>,
    Id(id): Id<EventId>,
    page: Page<()>,
) -> Result<Response, Refusal> {
    // No handler may want an event: an empty list is not the same as no event.
    state.store.event(id).await?.ok_or(Refusal::ResourceNotFound)?;
    answer_with(&state, &page, &DeliveryFilter { event_id: Some(id), ..DeliveryFilter::default() }).await
}

async fn answer_with<F>(state: &State, page: &Page<F>, filter: &DeliveryFilter) -> Result<Response, Refusal> {
    let mut deliveries = state.store.deliveries(filter, page.request()).await?;
    let next = page.cut(&mut deliveries, |delivery| delivery.id.as_uuid());
    let items: Vec<_> = deliveries.iter().map(DeliveryItem::from).collect();
    Ok(page.answer(&items, next))
}

/// `GET /api/v1/deliveries/{id}`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Id(id): Id<DeliveryId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let delivery = state.store.delivery(id).await?.ok_or(Refusal::ResourceNotFound)?;
    let attempts = state.store.attempts(id).await?;
    let queue = QueueRef { handler: delivery.handler.clone(), ordering_key: delivery.ordering_key.clone() };
    let queue = match delivery.state {
        DeliveryState::Pending | DeliveryState::Dead => state.store.queue(&queue).await?,
        DeliveryState::Done => None,
    };
    Ok(answer::one(&uri, &WholeDelivery::of(&delivery, queue.as_ref(), &attempts)))
}

/// `POST /api/v1/deliveries/{id}/replay`
pub(super) async fn replay(
    Extracted(state): Extracted<State>,
    Id(id): Id<DeliveryId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let delivery = state.store.replay(id, state.clock.now()).await?.ok_or(Refusal::ResourceNotFound)?;
    // 202 as in Podium's API: it is queued, and has not happened yet.
    Ok((StatusCode::ACCEPTED, answer::one(&uri, &DeliveryItem::from(&delivery))).into_response())
}

/// Why a delivery is called done.
#[derive(Debug)]
pub(super) struct Note(String);

impl FromParams for Note {
    fn from_params(params: &mut Params) -> Self {
        let expected = "a text of 1 to 2000 characters";
        let note = params.read_as(Form::Characters(1..=2000), "note", expected, |text| {
            (1..=2000).contains(&text.chars().count()).then(|| text.to_owned())
        });
        Self(params.needs(note, "why the delivery is called done").unwrap_or_default())
    }
}

/// `POST /api/v1/deliveries/{id}/resolve`
pub(super) async fn resolve(
    Extracted(state): Extracted<State>,
    Id(id): Id<DeliveryId>,
    Told { asked: Note(note), uri }: Told<Note>,
) -> Result<Response, Refusal> {
    let before = state.store.delivery(id).await?.ok_or(Refusal::ResourceNotFound)?;
    if before.state != DeliveryState::Dead {
        return Err(Refusal::NotDead);
    }
    let delivery =
        state.store.resolve(id, &note, state.clock.now()).await?.ok_or(Refusal::ResourceNotFound)?;
    // Somebody may have replayed it at the same moment.
    if delivery.state != DeliveryState::Done {
        return Err(Refusal::NotDead);
    }
    Ok(answer::one(&uri, &DeliveryItem::from(&delivery)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeDelivery<'a> {
    #[serde(flatten)]
    delivery: DeliveryItem<'a>,
    next_attempt_at: Option<Timestamp>,
    parked_by: Option<DeliveryId>,
    last_error: Option<&'a str>,
    attempts: Vec<AttemptItem<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub(super) struct DeliveryItem<'a> {
    id: DeliveryId,
    event_id: EventId,
    event_type: &'a str,
    handler: &'a str,
    ordering_key: &'a str,
    state: DeliveryState,
    attempt_count: u32,
    failure_count: u32,
    opened_at: Timestamp,
    settled_at: Option<Timestamp>,
    note: Option<&'a str>,
}

impl<'a> WholeDelivery<'a> {
    pub(super) fn of(delivery: &'a Delivery, queue: Option<&Queue>, attempts: &'a [Attempt]) -> Self {
        let due_at = queue.filter(|queue| queue.parked_by.is_none()).map(|queue| queue.due_at);
        Self {
            delivery: delivery.into(),
            next_attempt_at: due_at.filter(|_| delivery.state == DeliveryState::Pending),
            parked_by: queue.and_then(|queue| queue.parked_by),
            last_error: attempts.last().and_then(|attempt| attempt.error.as_deref()),
            attempts: attempts.iter().map(AttemptItem::from).collect(),
        }
    }
}

impl<'a> From<&'a Delivery> for DeliveryItem<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            id: delivery.id,
            event_id: delivery.event_id,
            event_type: &delivery.event_type,
            handler: &delivery.handler,
            ordering_key: &delivery.ordering_key,
            state: delivery.state,
            attempt_count: delivery.attempts,
            failure_count: delivery.failures,
            opened_at: delivery.opened_at,
            settled_at: delivery.settled_at,
            note: delivery.note.as_deref(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub(super) struct AttemptItem<'a> {
    number: u32,
    started_at: Timestamp,
    duration_ms: f64,
    outcome: AttemptOutcome,
    status: Option<i32>,
    output: Option<&'a str>,
    error: Option<&'a str>,
}

impl<'a> From<&'a Attempt> for AttemptItem<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            // From whole microseconds, so that 12.345 is not written as 12.344999999999999.
            duration_ms: attempt.duration.as_micros() as f64 / 1000.0,
            outcome: attempt.outcome,
            status: attempt.status,
            output: attempt.output.as_deref(),
            error: attempt.error.as_deref(),
        }
    }
}
