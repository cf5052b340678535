//! What the mirror shows: each kind of resource in a file, all of them listed, shown and searched in one way.

mod call;
mod contact;
mod conversation;
mod filter;
mod invoice;
mod link;
mod message;
mod review;

use std::marker::PhantomData;

use axum::Router;
use axum::extract::State as Extracted;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::page::Page;
use super::params::{FromParams, Params};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer, events};
use crate::model::{EventFilter, Place, Resource, ResourceFilter, ResourceKind};
use crate::podium::identifier;
use crate::store::StoreError;

/// A resource as the API shows it.
pub(super) trait View: Serialize + Sized + Send + 'static {
    /// What is shown.
    const KIND: ResourceKind;

    /// Reads what a list is narrowed by.
    fn filter(params: &mut Params) -> ResourceFilter;

    /// How they look, with what else is to be looked up for them.
    fn of(state: &State, resources: Vec<Resource>)
    -> impl Future<Output = Result<Vec<Self>, Refusal>> + Send;
}

/// The routes of everything that is mirrored.
pub(super) fn routes() -> Router<State> {
    Router::new()
        .merge(routes_of::<message::Message>("messages"))
        .merge(routes_of::<conversation::Conversation>("conversations"))
        .route("/api/v1/conversations/{uid}/messages", get(message::of_conversation))
        .merge(routes_of::<contact::Contact>("contacts"))
        .merge(routes_of::<invoice::Invoice>("invoices"))
        .merge(routes_of::<review::Review>("reviews"))
        .merge(routes_of::<review::Invite>("review-invites"))
        .merge(routes_of::<review::Response>("review-responses"))
        .merge(routes_of::<call::Call>("calls"))
}

fn routes_of<V: View>(name: &str) -> Router<State> {
    Router::new()
        .route(&format!("/api/v1/{name}"), get(list::<V>))
        .route(&format!("/api/v1/{name}/{{uid}}"), get(show::<V>))
        .route(&format!("/api/v1/{name}/{{uid}}/events"), get(events_of::<V>))
}

/// Which resources a list shows.
pub(super) struct Wanted<V> {
    filter: ResourceFilter,
    view: PhantomData<fn() -> V>,
}

impl<V: View> FromParams for Wanted<V> {
    fn from_params(params: &mut Params) -> Self {
        Self { filter: V::filter(params), view: PhantomData }
    }
}

/// `GET /api/v1/messages`, and so on.
async fn list<V: View>(
    Extracted(state): Extracted<State>,
    page: Page<Wanted<V>, Place>,
) -> Result<Response, Refusal> {
    let filter = page.filter.filter.clone();
    page_of::<V, _>(&state, &page, filter).await
}

/// The page that is asked for, of what the filter fits.
async fn page_of<V: View, F>(
    state: &State,
    page: &Page<F, Place>,
    mut filter: ResourceFilter,
) -> Result<Response, Refusal> {
    if let Some(contact) = filter.keys.contact_uid.take() {
        filter.contact_uids = contact::all_uids(state, contact).await?;
    }
    let mut found = state.mirror.resources(V::KIND, &filter, page.request()).await?;
    let next = page.cut(&mut found, Resource::place);
    Ok(page.answer(&V::of(state, found).await?, next))
}

/// `GET /api/v1/messages/{uid}`, and so on.
async fn show<V: View>(
    Extracted(state): Extracted<State>,
    Id(uid): Id<Uid>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let found = survivor(&state, V::KIND, uid.0).await?.ok_or(Refusal::NotMirrored)?;
    let views = V::of(&state, vec![found]).await?;
    let view = views.into_iter().next().ok_or(Refusal::NotMirrored)?;
    Ok(answer::one(&uri, &view))
}

/// `GET /api/v1/messages/{uid}/events`, and so on.
async fn events_of<V: View>(
    Extracted(state): Extracted<State>,
    Id(uid): Id<Uid>,
    page: Page<()>,
) -> Result<Response, Refusal> {
    let found = survivor(&state, V::KIND, uid.0).await?.ok_or(Refusal::NotMirrored)?;
    let events = if V::KIND == ResourceKind::Conversation {
        // Those that name it.
        let filter = EventFilter { conversation_uid: Some(found.uid), ..EventFilter::default() };
        state.store.events(&filter, page.request()).await?
    } else {
        state.mirror.events_of(V::KIND, &found.uid, page.request()).await?
    };
    Ok(events::page(&page, events))
}

/// How many merges are followed: people do not merge a contact more often, and what goes round in a circle has an end.
const MERGES: usize = 32;

/// The resource, or the one that it was merged into in the end.
async fn survivor(
    state: &State,
    kind: ResourceKind,
    mut uid: String,
) -> Result<Option<Resource>, StoreError> {
    let mut found = None;
    for _ in 0..MERGES {
        let Some(resource) = state.mirror.resources_by_uid(kind, &[uid]).await?.pop() else { break };
        let into = resource.keys.merged_into.clone();
        found = Some(resource);
        match into {
            Some(into) => uid = into,
            None => break,
        }
    }
    Ok(found)
}

/// The uid in a path: opaque, and one that can't be is one of nothing.
#[derive(Debug)]
pub(super) struct Uid(String);

impl std::str::FromStr for Uid {
    type Err = NoUid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        identifier::checked(text).map(|uid| Self(uid.to_owned())).ok_or(NoUid)
    }
}

/// The text can't be a uid.
#[derive(Debug)]
pub(super) struct NoUid;

/// What a resource says, as the mirror keeps it.
fn said<T: DeserializeOwned>(resource: &Resource) -> Result<T, StoreError> {
    // The mirror wrote it from the same type.
    serde_json::from_str(&resource.data).map_err(|error| StoreError::Failed(error.into()))
}
