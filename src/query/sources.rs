//! Sources: the webhooks that may call, and how each of their secrets is used.

use std::sync::Arc;

use axum::extract::State as Extracted;
use axum::response::Response;

use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::SourceStatus;

/// `GET /api/v1/sources`
pub(super) async fn list(Extracted(state): Extracted<State>, Plain(uri): Plain) -> Result<Response, Refusal> {
    let uses = state.store.secret_uses().await?;
    let (now, sources) = (state.clock.now(), Arc::clone(&state.sources.borrow()));
    let items: Vec<SourceStatus<'_>> = sources.iter().map(|source| source.status(&uses, now)).collect();
    // There are as many as a person has configured: one page.
    Ok(answer::page(&uri, &items, None))
}
