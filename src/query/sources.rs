//! Sources: the webhooks that may call, and how each of their secrets is used.

use std::sync::Arc;

use axum::extract::State as Extracted;
use axum::response::Response;

use super::openapi::{Book, says};
use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::SourceStatus;

/// The operations on sources.
pub(super) fn entries(book: Book) -> Book {
    let list = says("Sources", "The webhooks that may call, and when their secrets were last used");
    book.get("/api/v1/sources", self::list, list.all::<SourceStatus<'_>>())
}

/// `GET /api/v1/sources`
pub(super) async fn list(Extracted(state): Extracted<State>, Plain(uri): Plain) -> Result<Response, Refusal> {
    let uses = state.store.secret_uses().await?;
    let (now, sources) = (state.clock.now(), Arc::clone(&state.sources.borrow()));
    let items: Vec<SourceStatus<'_>> = sources.iter().map(|source| source.status(&uses, now)).collect();
    // There are as many as a person has configured: one page.
    Ok(answer::page(&uri, &items, None))
}
