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

use axum::extract::State as Extracted;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use super::events::EventItem;
use super::openapi::{Book, Shown, sample, says};
use super::page::Page;
use super::params::{Form, FromParams, Params};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::{State, answer, events};
use crate::model::{EventFilter, Place, Resource, ResourceFilter, ResourceKind};
use crate::podium::{EventType, identifier};
use crate::store::StoreError;

/// A resource as the API shows it.
pub(super) trait View: Serialize + Shown + Sized + Send + 'static {
    /// What is shown.
    const KIND: ResourceKind;

    /// Reads what a list is narrowed by.
    fn filter(params: &mut Params) -> ResourceFilter;

    /// How they look, with what else is to be looked up for them.
    fn of(state: &State, resources: Vec<Resource>)
    -> impl Future<Output = Result<Vec<Self>, Refusal>> + Send;
}

/// The operations on everything that is mirrored.
pub(super) fn entries(book: Book) -> Book {
    let of_conversation = says("Conversations", "The messages of a conversation, the newest first")
        .page_of::<message::Message>();
    let book = entries_of::<message::Message>(book, "messages", "Messages");
    let book = entries_of::<conversation::Conversation>(book, "conversations", "Conversations").get(
        "/api/v1/conversations/{uid}/messages",
        message::of_conversation,
        of_conversation.refuses(Refusal::NotMirrored),
    );
    let book = entries_of::<contact::Contact>(book, "contacts", "Contacts");
    let book = entries_of::<invoice::Invoice>(book, "invoices", "Invoices");
    let book = entries_of::<review::Review>(book, "reviews", "Reviews");
    let book = entries_of::<review::Invite>(book, "review-invites", "Review invites");
    let book = entries_of::<review::Response>(book, "review-responses", "Review responses");
    entries_of::<call::Call>(book, "calls", "Calls")
}

fn entries_of<V: View>(book: Book, name: &str, tag: &'static str) -> Book {
    let list = says(tag, "All of them, the newest first").page_of::<V>();
    let show = says(tag, "One of them")
        .more("One that was merged into another shows that one.")
        .one::<V>()
        .refuses(Refusal::NotMirrored);
    let events = says(tag, "The events behind one of them, the newest first").page_of::<EventItem<'_>>();
    book.get(&format!("/api/v1/{name}"), self::list::<V>, list)
        .get(&format!("/api/v1/{name}/{{uid}}"), self::show::<V>, show)
        .get(&format!("/api/v1/{name}/{{uid}}/events"), events_of::<V>, events)
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

impl Uid {
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl std::str::FromStr for Uid {
    type Err = NoUid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        identifier::checked(text).map(|uid| Self(uid.to_owned())).ok_or(NoUid)
    }
}

impl PartialSchema for Uid {
    fn schema() -> RefOr<Schema> {
        String::schema()
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
