//! The quarantine: requests that failed verification, to be looked at, released or deleted.

use async_trait::async_trait;
use axum::extract::State as Extracted;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::yield_now;
use utoipa::ToSchema;

use super::openapi::{Book, says};
use super::page::Page;
use super::params::{FromParams, Narrowed, Params};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer, body};
use crate::model::{Header, QuarantineFilter, QuarantineId, Quarantined, QuarantinedRequest, Released};
use crate::store::StoreError;

/// How many requests are deleted at a time: a transaction short enough that nobody waits for it.
const BATCH: u32 = 50;

/// Lets requests out of quarantine. The API asks for it and knows no more of how requests are verified.
#[async_trait]
pub trait Release: Send + Sync + 'static {
    /// Verifies requests in quarantine again, oldest first; those that pass become events in that order, and leave it.
    /// Doing it again, or several times at once, does no harm.
    async fn release(&self, filter: &QuarantineFilter) -> Result<Released, StoreError>;
}

impl FromParams for QuarantineFilter {
    fn from_params(params: &mut Params) -> Self {
        Self {
            source: params.text("source"),
            reason: params.text("reason"),
            received_after: params.moment("receivedAfter"),
            received_before: params.moment("receivedBefore"),
        }
    }
}

/// The operations on the quarantine.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Quarantine";
    let release = says(tag, "Verify requests again, and make events of those that pass")
        .more("Without a filter all are meant that arrived before the call. After 20 seconds the answer comes all the same, with `complete: false`: release again for the rest.")
        .one::<ReleasedItem>();
    book.get(
        "/api/v1/quarantine",
        list,
        says(tag, "Requests that failed verification, the newest first").page_of::<RequestItem<'_>>(),
    )
    .delete(
        "/api/v1/quarantine",
        delete_all,
        says(tag, "Delete all that the filter fits")
            .more("Without a filter, all that arrived before the call.")
            .one::<Deleted>(),
    )
    .post("/api/v1/quarantine/release", self::release, release)
    .get(
        "/api/v1/quarantine/{id}",
        show,
        says(tag, "One request, with its headers and body").one::<WholeRequest<'_>>(),
    )
    .delete("/api/v1/quarantine/{id}", delete, says(tag, "Delete it").one::<Deleted>())
    .get("/api/v1/quarantine/{id}/body", show_body, says(tag, "Its body, byte for byte").bytes())
}

/// `GET /api/v1/quarantine`
pub(super) async fn list(
    Extracted(state): Extracted<State>,
    page: Page<QuarantineFilter>,
) -> Result<Response, Refusal> {
    let mut requests = state.store.quarantined(&page.filter, page.request()).await?;
    let next = page.cut(&mut requests, |request| request.id.as_uuid());
    let items: Vec<_> = requests.iter().map(RequestItem::from).collect();
    Ok(page.answer(&items, next))
}

/// `GET /api/v1/quarantine/{id}`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Id(id): Id<QuarantineId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let kept = state.store.quarantined_request(id).await?.ok_or(Refusal::ResourceNotFound)?;
    Ok(answer::one(&uri, &WholeRequest::from(&kept)))
}

/// `GET /api/v1/quarantine/{id}/body`
pub(super) async fn show_body(
    Extracted(state): Extracted<State>,
    Id(id): Id<QuarantineId>,
    _: Plain,
) -> Result<Response, Refusal> {
    let kept = state.store.quarantined_request(id).await?.ok_or(Refusal::ResourceNotFound)?;
    Ok(body::as_a_file(kept.content))
}

/// `DELETE /api/v1/quarantine/{id}`
pub(super) async fn delete(
    Extracted(state): Extracted<State>,
    Id(id): Id<QuarantineId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    match state.store.forget_quarantined(&[id]).await? {
        0 => Err(Refusal::ResourceNotFound),
        deleted => Ok(answer::one(&uri, &Deleted { deleted })),
    }
}

/// `DELETE /api/v1/quarantine`
pub(super) async fn delete_all(
    Extracted(state): Extracted<State>,
    Narrowed { filter, uri }: Narrowed<QuarantineFilter>,
) -> Result<Response, Refusal> {
    // What arrives meanwhile is not meant: nobody has seen it.
    let now = state.clock.now();
    let received_before = Some(filter.received_before.map_or(now, |before| before.min(now)));
    let filter = QuarantineFilter { received_before, ..filter };
    let mut deleted = 0;
    loop {
        let forgotten = state.store.empty_quarantine(&filter, BATCH).await?;
        deleted += forgotten;
        if forgotten < BATCH.into() {
            return Ok(answer::one(&uri, &Deleted { deleted }));
        }
        yield_now().await;
    }
}

/// `POST /api/v1/quarantine/release`
pub(super) async fn release(
    Extracted(state): Extracted<State>,
    Narrowed { filter, uri }: Narrowed<QuarantineFilter>,
) -> Result<Response, Refusal> {
    Ok(answer::one(&uri, &ReleasedItem::from(state.release.release(&filter).await?)))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Deleted {
    pub(super) deleted: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Release)]
pub(super) struct ReleasedItem {
    examined: u64,
    released: u64,
    duplicates: u64,
    still_unverified: u64,
    complete: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WholeQuarantinedRequest)]
pub(super) struct WholeRequest<'a> {
    #[serde(flatten)]
    request: RequestItem<'a>,
    headers: &'a [Header],
    /// Of the two, the one that fits.
    body: Option<&'a str>,
    body_base64: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QuarantinedRequest)]
pub(super) struct RequestItem<'a> {
    id: QuarantineId,
    source: &'a str,
    received_at: Timestamp,
    reason: &'a str,
    held: bool,
    size: u64,
}

impl From<Released> for ReleasedItem {
    fn from(Released { examined, released, duplicates, still_unverified, complete }: Released) -> Self {
        Self { examined, released, duplicates, still_unverified, complete }
    }
}

impl<'a> From<&'a QuarantinedRequest> for WholeRequest<'a> {
    fn from(kept: &'a QuarantinedRequest) -> Self {
        let text = std::str::from_utf8(&kept.content.body).ok();
        Self {
            request: (&kept.request).into(),
            headers: &kept.content.headers,
            body: text,
            body_base64: text.is_none().then(|| STANDARD.encode(&kept.content.body)),
        }
    }
}

impl<'a> From<&'a Quarantined> for RequestItem<'a> {
    fn from(request: &'a Quarantined) -> Self {
        Self {
            id: request.id,
            source: &request.source,
            received_at: request.received_at,
            reason: &request.reason,
            held: request.held,
            size: request.size,
        }
    }
}
