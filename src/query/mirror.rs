//! How the mirror stands, what it could not make a picture of, and making it anew.

use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Book, says};
use super::page::Page;
use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{EventId, MirrorStatus, Rebuild, SkippedEvent};

/// The operations on the mirror as a whole.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Mirror";
    book.get("/api/v1/mirror", show, says(tag, "How the mirror stands").one::<Standing>())
        .post("/api/v1/mirror/rebuild", rebuild, says(tag, "Make it anew").accepted::<Standing>())
        .get(
            "/api/v1/mirror/skipped",
            skipped,
            says(tag, "Events that gave no picture, the newest first").page_of::<SkippedItem<'_>>(),
        )
}

/// `GET /api/v1/mirror`
pub(super) async fn show(Extracted(state): Extracted<State>, Plain(uri): Plain) -> Result<Response, Refusal> {
    Ok(answer::one(&uri, &standing(&state).await?))
}

/// `POST /api/v1/mirror/rebuild`
pub(super) async fn rebuild(
    Extracted(state): Extracted<State>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    state.mirror.begin_rebuild(state.clock.now()).await?;
    tracing::info!("the mirror is to be made anew");
    // 202 as in Podium's API: it is queued, and has not happened yet.
    Ok((StatusCode::ACCEPTED, answer::one(&uri, &standing(&state).await?)).into_response())
}

/// `GET /api/v1/mirror/skipped`
pub(super) async fn skipped(Extracted(state): Extracted<State>, page: Page<()>) -> Result<Response, Refusal> {
    let mut skipped = state.mirror.skipped(page.request()).await?;
    let next = page.cut(&mut skipped, |one| one.event_id.as_uuid());
    let items: Vec<_> = skipped.iter().map(SkippedItem::from).collect();
    Ok(page.answer(&items, next))
}

async fn standing(state: &State) -> Result<Standing, Refusal> {
    Ok(Standing::of(state.mirror.mirror_status().await?, state.clock.now()))
}

/// How the mirror stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mirror)]
pub(super) struct Standing {
    /// How many events are yet to be mirrored; a million stands for more.
    waiting: u64,
    oldest_received_at: Option<Timestamp>,
    lag_seconds: f64,
    skipped: u64,
    rebuild: Option<RebuildItem>,
}

/// The newest time that the mirror was made anew.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MirrorRebuild)]
pub(super) struct RebuildItem {
    started_at: Timestamp,
    total: u64,
    done: u64,
    ended_at: Option<Timestamp>,
}

impl Standing {
    pub(super) fn of(status: MirrorStatus, now: Timestamp) -> Self {
        let MirrorStatus { waiting, oldest_at, skipped, rebuild } = status;
        let lag_seconds = oldest_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        Self {
            waiting,
            oldest_received_at: oldest_at,
            lag_seconds,
            skipped,
            rebuild: rebuild.map(RebuildItem::from),
        }
    }
}

impl From<Rebuild> for RebuildItem {
    fn from(Rebuild { started_at, total, done, ended_at }: Rebuild) -> Self {
        Self { started_at, total, done, ended_at }
    }
}

/// An event that gave no picture.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SkippedEvent)]
pub(super) struct SkippedItem<'a> {
    event_id: EventId,
    reason: &'a str,
    event: String,
}

impl<'a> From<&'a SkippedEvent> for SkippedItem<'a> {
    fn from(SkippedEvent { event_id, reason }: &'a SkippedEvent) -> Self {
        Self { event_id: *event_id, reason, event: format!("/api/v1/events/{event_id}") }
    }
}
