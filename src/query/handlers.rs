//! Handlers: how they stand, and pausing them.

use axum::extract::{FromRequestParts, Path, State as Extracted};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use jiff::Timestamp;

use super::openapi::{Book, says};
use super::path::Plain;
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{Activity, Backlog, HandlerStatus, handlers};
use crate::store::StoreError;

/// The name in the path. One that can't be is nobody's.
pub(super) struct Name(String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(name) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Refusal::HandlerNotFound)?;
        // No database keeps it, and one of them refuses to look for it.
        if name.contains('\0') { Err(Refusal::HandlerNotFound) } else { Ok(Self(name)) }
    }
}

/// The operations on handlers.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Handlers";
    book.get(
        "/api/v1/handlers",
        list,
        says(tag, "The configured handlers, and others that there is something to say of")
            .all::<HandlerStatus<'_>>(),
    )
    .get("/api/v1/handlers/{name}", show, says(tag, "One handler").one::<HandlerStatus<'_>>())
    .post(
        "/api/v1/handlers/{name}/pause",
        pause,
        says(tag, "Give it nothing more").one::<HandlerStatus<'_>>(),
    )
    .post(
        "/api/v1/handlers/{name}/resume",
        resume,
        says(tag, "Give it work again").one::<HandlerStatus<'_>>(),
    )
}

/// `GET /api/v1/handlers`
pub(super) async fn list(Extracted(state): Extracted<State>, Plain(uri): Plain) -> Result<Response, Refusal> {
    let known = Known::of(&state).await?;
    // There are as many as a person has configured: one page.
    Ok(answer::page(&uri, &known.all(&state), None))
}

/// `GET /api/v1/handlers/{name}`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Name(name): Name,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    one(&state, &name, &uri).await
}

/// `POST /api/v1/handlers/{name}/pause`
pub(super) async fn pause(
    Extracted(state): Extracted<State>,
    Name(name): Name,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    // A misspelt name would look like a handler that is paused.
    one(&state, &name, &uri).await?;
    state.store.pause(&name, state.clock.now()).await?;
    tracing::info!(handler = name, "a handler is paused: it is given nothing until it is resumed");
    one(&state, &name, &uri).await
}

/// `POST /api/v1/handlers/{name}/resume`
pub(super) async fn resume(
    Extracted(state): Extracted<State>,
    Name(name): Name,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let before = one(&state, &name, &uri).await?;
    if !state.store.resume(&name).await? {
        return Ok(before);
    }
    tracing::info!(handler = name, "a handler is resumed");
    // One that nothing is known of any more, now that it is not paused, is told for the last time.
    one(&state, &name, &uri).await.or(Ok(before))
}

async fn one(state: &State, name: &str, uri: &Uri) -> Result<Response, Refusal> {
    let known = Known::of(state).await?;
    let all = known.all(state);
    let handler = all.iter().find(|handler| handler.name == name).ok_or(Refusal::HandlerNotFound)?;
    Ok(answer::one(uri, handler))
}

/// What the store knows of handlers.
struct Known {
    backlog: Vec<Backlog>,
    paused: Vec<(String, Timestamp)>,
    activity: Vec<Activity>,
    since: Timestamp,
    now: Timestamp,
}

impl Known {
    async fn of(state: &State) -> Result<Self, StoreError> {
        let now = state.clock.now();
        let since = Activity::recent_from(now);
        Ok(Self {
            backlog: state.store.backlog().await?,
            paused: state.store.paused().await?,
            activity: state.store.activity(since).await?,
            since,
            now,
        })
    }

    fn all<'a>(&'a self, state: &'a State) -> Vec<HandlerStatus<'a>> {
        handlers(&state.handlers, &self.backlog, &self.paused, &self.activity, self.since, self.now)
    }
}
