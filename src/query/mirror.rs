//! How the mirror stands, what it could not make a picture of, and making it anew.

use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::openapi::{Book, says};
use super::page::Page;
use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{MirrorStanding, SkippedStatus};

/// The operations on the mirror as a whole.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Mirror";
    book.get("/api/v1/mirror", show, says(tag, "How the mirror stands").one::<MirrorStanding>())
        .post("/api/v1/mirror/rebuild", rebuild, says(tag, "Make it anew").accepted::<MirrorStanding>())
        .get(
            "/api/v1/mirror/skipped",
            skipped,
            says(tag, "Events that gave no picture, the newest first").page_of::<SkippedStatus<'_>>(),
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
    let items: Vec<_> = skipped.iter().map(SkippedStatus::from).collect();
    Ok(page.answer(&items, next))
}

async fn standing(state: &State) -> Result<MirrorStanding, Refusal> {
    Ok(state.mirror.mirror_status().await?.standing(state.clock.now()))
}
