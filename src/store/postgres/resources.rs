//! What the mirror shows.

use sqlx::PgPool;
use uuid::Uuid;

use super::map::{self, instant};
use super::sql::mirror as sql;
use crate::model::{EventId, EventRecord, PageRequest, Place, Resource, ResourceFilter, ResourceKind, Words};
use crate::store::kept;

/// So many with the same words are read and sorted in a moment; where there are more, a page of them is soon met in order.
const FEW: i64 = 2000;

/// See [`crate::store::MirrorStore::resources`].
pub(super) async fn list(
    readers: &PgPool,
    kind: ResourceKind,
    filter: &ResourceFilter,
    page: PageRequest<Place>,
) -> Result<Vec<Resource>, sqlx::Error> {
    let (keys, words) = (&filter.keys, all_of(kind, &filter.words));
    let are_rare = match &words {
        Some(words) => !are_common(readers, words, kept::lexemes(kind, &filter.words)).await?,
        None => false,
    };
    let statement = if are_rare { sql::RESOURCES_WITH_RARE_WORDS } else { sql::RESOURCES };
    let contacts = (!filter.contact_uids.is_empty()).then_some(&filter.contact_uids);
    let rows = sqlx::query(statement)
        .bind(kind.as_str())
        .bind(page.below.as_ref().map(|below| instant(below.at)))
        .bind(page.below.as_ref().map(|below| kept::text(&below.uid)))
        .bind(filter.from.map(instant))
        .bind(filter.before.map(instant))
        .bind(&keys.conversation_uid)
        .bind(contacts)
        .bind(&keys.location_uid)
        .bind(&keys.organization_uid)
        .bind(&keys.user_uid)
        .bind(&keys.channel_type)
        .bind(&keys.channel_identifier)
        .bind(&keys.direction)
        .bind(&keys.status)
        .bind(&keys.merged_into)
        .bind(keys.is_awaiting)
        .bind(words)
        .bind(i64::from(page.limit))
        .persistent(false)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::resource).collect()
}

/// A query for all of the words. They are of letters and digits only, so quotes are all they need.
fn all_of(kind: ResourceKind, words: &Words) -> Option<String> {
    let words: Vec<_> = kept::lexemes(kind, words).iter().map(|word| format!("'{word}'")).collect();
    (!words.is_empty()).then(|| words.join(" & "))
}

/// Whether so many have all of these words that a page of them is soon met in order.
async fn are_common(readers: &PgPool, query: &str, lexemes: Vec<String>) -> Result<bool, sqlx::Error> {
    let are_said_to_be: Option<bool> =
        sqlx::query_scalar(sql::ARE_SAID_TO_BE_COMMON).bind(lexemes).bind(FEW).fetch_one(readers).await?;
    if are_said_to_be == Some(true) {
        return Ok(true);
    }
    sqlx::query_scalar(sql::ARE_COMMON).bind(query).bind(FEW).fetch_one(readers).await
}

/// See [`crate::store::MirrorStore::resources_by_uid`].
pub(super) async fn by_uid(
    readers: &PgPool,
    kind: ResourceKind,
    uids: &[String],
) -> Result<Vec<Resource>, sqlx::Error> {
    let rows = sqlx::query(sql::RESOURCES_BY_UID).bind(kind.as_str()).bind(uids).fetch_all(readers).await?;
    rows.iter().map(map::resource).collect()
}

/// See [`crate::store::MirrorStore::merged_uids`].
pub(super) async fn merged_uids(
    readers: &PgPool,
    kind: ResourceKind,
    uid: &str,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(sql::MERGED_UIDS).bind(kind.as_str()).bind(uid).fetch_all(readers).await
}

/// See [`crate::store::MirrorStore::events_of`].
pub(super) async fn events_of(
    readers: &PgPool,
    kind: ResourceKind,
    uid: &str,
    page: PageRequest<EventId>,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let rows = sqlx::query(sql::EVENTS_OF)
        .bind(kind.as_str())
        .bind(uid)
        .bind(page.below.map_or(Uuid::max(), EventId::as_uuid))
        .bind(i64::from(page.limit))
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::event).collect()
}
