//! How the mirror stands, what it could not make a picture of, and making it anew.

use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;

use super::page::Page;
use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{EventId, MirrorStatus, Rebuild, SkippedEvent};

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
    let MirrorStatus { waiting, oldest_at, skipped, rebuild } = state.mirror.mirror_status().await?;
    let now = state.clock.now();
    let lag_seconds = oldest_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
    Ok(Standing {
        waiting,
        oldest_received_at: oldest_at,
        lag_seconds,
        skipped,
        rebuild: rebuild.map(RebuildItem::from),
    })
}

/// How the mirror stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    /// How many events are yet to be mirrored; a million stands for more.
    waiting: u64,
    oldest_received_at: Option<Timestamp>,
    lag_seconds: f64,
    skipped: u64,
    rebuild: Option<RebuildItem>,
}

/// The newest time that the mirror was made anew.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RebuildItem {
    started_at: Timestamp,
    total: u64,
    done: u64,
    ended_at: Option<Timestamp>,
}

impl From<Rebuild> for RebuildItem {
    fn from(Rebuild { started_at, total, done, ended_at }: Rebuild) -> Self {
        Self { started_at, total, done, ended_at }
    }
}

/// An event that gave no picture.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SkippedItem<'a> {
    event_id: EventId,
    reason: &'a str,
    event: String,
}

impl<'a> From<&'a SkippedEvent> for SkippedItem<'a> {
    fn from(SkippedEvent { event_id, reason }: &'a SkippedEvent) -> Self {
        Self { event_id: *event_id, reason, event: format!("/api/v1/events/{event_id}") }
    }
}
