//! Replays of many deliveries.

use axum::Extension;
use axum::extract::State as Extracted;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::openapi::{Book, says};
use super::page::Page;
use super::params::{FromParams, Params, Told};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer};
use crate::model::{DeliveryFilter, Replay, ReplayId, ReplayStatus};

/// What is to be replayed, and how.
#[derive(Debug)]
pub(super) struct Wanted {
    filter: DeliveryFilter,
    rate: u32,
    dry_run: bool,
}

impl FromParams for Wanted {
    fn from_params(params: &mut Params) -> Self {
        let filter = DeliveryFilter::from_params(params);
        let only_failed = params.switch("onlyFailed").unwrap_or(true);
        let rate = params.number("rate", 1..=Replay::MAX_RATE);
        let dry_run = params.switch("dryRun").unwrap_or_default();
        let is_of_everything = filter.is_of_everything();
        let filter = Replay::narrowed(filter, only_failed).unwrap_or_else(|| {
            params.fault(
                "state: only what is closed is replayed: dead deliveries, and done ones with onlyFailed=false",
            );
            DeliveryFilter::default()
        });
        // A filter that is misspelt or wrong is told as such.
        if is_of_everything && !dry_run && !params.is_wrong() && params.unread().is_empty() {
            params.fault(
                "a filter is missing: name what is to be replayed, such as handler, or eventType=* for everything",
            );
        }
        Self { filter, rate: rate.unwrap_or(Replay::DEFAULT_RATE), dry_run }
    }
}

/// The operations on replays.
pub(super) fn entries(book: Book) -> Book {
    let tag = "Replays";
    let begin = says(tag, "Do many deliveries again")
        .more("One filter besides `state` must be there; `eventType=*` stands for everything. With `dryRun=true` they are counted only.")
        .one::<DryRun>()
        .accepted::<ReplayStatus<'_>>();
    book.post("/api/v1/replays", self::begin, begin)
        .get("/api/v1/replays", list, says(tag, "Replays, the newest first").page_of::<ReplayStatus<'_>>())
        .get(
            "/api/v1/replays/{id}",
            show,
            says(tag, "One replay, with its progress").one::<ReplayStatus<'_>>(),
        )
        .post("/api/v1/replays/{id}/cancel", cancel, says(tag, "Call it off").one::<ReplayStatus<'_>>())
}

/// `POST /api/v1/replays`
pub(super) async fn begin(
    Extracted(state): Extracted<State>,
    Extension(Caller(caller)): Extension<Caller>,
    Told { asked, uri }: Told<Wanted>,
) -> Result<Response, Refusal> {
    let now = state.clock.now();
    let matched = state.store.count_closed(&asked.filter, now).await?;
    if asked.dry_run {
        return Ok(answer::one(&uri, &DryRun { dry_run: true, matched }));
    }
    let replay = Replay::new(asked.filter, asked.rate, matched, caller, now);
    state.store.add_replay(&replay).await?;
    tracing::info!(replay_id = %replay.id, matched, by = replay.created_by, "a replay begins");
    // 202 as in Podium's API: it is queued, and has not happened yet.
    Ok((StatusCode::ACCEPTED, answer::one(&uri, &ReplayStatus::from(&replay))).into_response())
}

/// `GET /api/v1/replays`
pub(super) async fn list(Extracted(state): Extracted<State>, page: Page<()>) -> Result<Response, Refusal> {
    let mut replays = state.store.replays(page.request()).await?;
    let next = page.cut(&mut replays, |replay| replay.id.as_uuid());
    let items: Vec<_> = replays.iter().map(ReplayStatus::from).collect();
    Ok(page.answer(&items, next))
}

/// `GET /api/v1/replays/{id}`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Id(id): Id<ReplayId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let replay = state.store.one_replay(id).await?.ok_or(Refusal::ResourceNotFound)?;
    Ok(answer::one(&uri, &ReplayStatus::from(&replay)))
}

/// `POST /api/v1/replays/{id}/cancel`
pub(super) async fn cancel(
    Extracted(state): Extracted<State>,
    Id(id): Id<ReplayId>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let replay = state.store.cancel_replay(id, state.clock.now()).await?.ok_or(Refusal::ResourceNotFound)?;
    Ok(answer::one(&uri, &ReplayStatus::from(&replay)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DryRun {
    pub(super) dry_run: bool,
    pub(super) matched: Option<u64>,
}
