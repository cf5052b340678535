//! Events: what arrived.

use std::collections::HashMap;

use axum::extract::State as Extracted;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::openapi::{Book, says};
use super::page::Page;
use super::params::{Form, FromParams, Params};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer, body, stream};
use crate::model::{Content, EventFilter, EventId, EventRecord, Header, Origin};
use crate::podium::Envelope;

/// Which events a list shows, and how much of each.
#[derive(Debug)]
pub(super) struct Wanted {
    events: EventFilter,
    payload: bool,
}

impl FromParams for Wanted {
    fn from_params(params: &mut Params) -> Self {
        let events = EventFilter {
            received_after: params.moment("receivedAfter"),
            received_before: params.moment("receivedBefore"),
            ..filter(params)
        };
        let include = params.read_as(Form::Word(vec!["payload"]), "include", "payload", |text| {
            (text == "payload").then_some(())
        });
        Self { events, payload: include.is_some() }
    }
}

/// What events are narrowed by besides time.
pub(super) fn filter(params: &mut Params) -> EventFilter {
    EventFilter {
        event_type: params
            .read("type", "an event type or a pattern such as message.*", |text| text.parse().ok()),
        source: params.text("source"),
        location_uid: params.text("locationUid"),
        conversation_uid: params.text("conversationUid"),
        ..EventFilter::default()
    }
}

/// The operations on events.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Events";
    let list = says(tag, "Events, the newest first").page_of_either::<EventItem<'_>, WithPayload<'_>>();
    let stream = says(tag, "Events as they are mirrored, for as long as one listens")
        .more("Server-sent events: `id` is its place in the stream, `event` its type, `data` is what a list shows of it.")
        .header("Last-Event-ID", "As `lastEventId`, which counts where both are there")
        .text("text/event-stream")
        .refuses(Refusal::TooManyListeners);
    book.get("/api/v1/events", self::list, list)
        .get("/api/v1/events/stream", stream::open, stream)
        .get(
            "/api/v1/events/{id}",
            show,
            says(tag, "One event, with its payload and headers").one::<WholeEvent<'_>>(),
        )
        .get("/api/v1/events/{id}/body", body::show, says(tag, "Its body, byte for byte").bytes())
}

/// `GET /api/v1/events`
pub(super) async fn list(
    Extracted(state): Extracted<State>,
    page: Page<Wanted>,
) -> Result<Response, Refusal> {
    let mut events = state.store.events(&page.filter.events, page.request()).await?;
    if !page.filter.payload {
        return Ok(self::page(&page, events));
    }
    let next = page.cut(&mut events, |event| event.id.as_uuid());
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let contents: HashMap<_, _> = state.store.contents(&ids).await?.into_iter().collect();
    let items: Vec<_> = events.iter().map(|event| WithPayload::of(event, contents.get(&event.id))).collect();
    Ok(page.answer(&items, next))
}

/// A page of events, without their payloads.
pub(super) fn page(page: &Page<impl Sized>, mut events: Vec<EventRecord>) -> Response {
    let next = page.cut(&mut events, |event| event.id.as_uuid());
    let items: Vec<_> = events.iter().map(EventItem::from).collect();
    page.answer(&items, next)
}

/// `GET /api/v1/events/{id}`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Id(id): Id<EventId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let event = state.store.event(id).await?.ok_or(Refusal::ResourceNotFound)?;
    let content = state.content(id).await?;
    Ok(answer::one(&uri, &WholeEvent::of(&event, content.as_ref())))
}

/// The `data` of a body as Podium spelt it, if the body is one of Podium's. It is never read further: numbers keep their
/// digits, unknown fields stay, and no depth of nesting matters.
fn payload(content: &Content) -> Option<&RawValue> {
    Envelope::parse(std::str::from_utf8(&content.body).ok()?).ok()?.data
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeEvent<'a> {
    #[serde(flatten)]
    event: WithPayload<'a>,
    verified_by: Option<&'a str>,
    headers: &'a [Header],
}

#[derive(Serialize, ToSchema)]
#[schema(as = EventWithPayload)]
pub(super) struct WithPayload<'a> {
    #[serde(flatten)]
    event: EventItem<'a>,
    /// The `data` of the body, as Podium spelt it; null when there is none.
    #[schema(value_type = serde_json::Value)]
    payload: Option<&'a RawValue>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub(super) struct EventItem<'a> {
    id: EventId,
    r#type: &'a str,
    source: &'a str,
    event_uid: Option<&'a str>,
    subject_uid: Option<&'a str>,
    conversation_uid: Option<&'a str>,
    contact_uid: Option<&'a str>,
    location_uid: Option<&'a str>,
    organization_uid: Option<&'a str>,
    occurred_at: Option<Timestamp>,
    received_at: Timestamp,
    decode_error: Option<&'a str>,
    origin: Origin,
}

impl<'a> WholeEvent<'a> {
    pub(super) fn of(event: &'a EventRecord, content: Option<&'a Content>) -> Self {
        Self {
            event: WithPayload::of(event, content),
            verified_by: event.verified_by.as_deref(),
            headers: content.map_or(&[], |content| &content.headers),
        }
    }
}

impl<'a> WithPayload<'a> {
    pub(super) fn of(event: &'a EventRecord, content: Option<&'a Content>) -> Self {
        Self { event: event.into(), payload: content.and_then(payload) }
    }
}

impl<'a> From<&'a EventRecord> for EventItem<'a> {
    fn from(event: &'a EventRecord) -> Self {
        Self {
            id: event.id,
            r#type: &event.event_type,
            source: &event.source,
            event_uid: event.event_uid.as_deref(),
            subject_uid: event.subject_uid.as_deref(),
            conversation_uid: event.conversation_uid.as_deref(),
            contact_uid: event.contact_uid.as_deref(),
            location_uid: event.location_uid.as_deref(),
            organization_uid: event.organization_uid.as_deref(),
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            decode_error: event.decode_error.as_deref(),
            origin: event.origin,
        }
    }
}
