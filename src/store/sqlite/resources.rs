//! What the mirror shows.

use serde_json::Value;
use sqlx::SqlitePool;
use uuid::Uuid;

use super::map::{self, instant};
use super::sql::mirror as sql;
use crate::model::{EventId, EventRecord, PageRequest, Place, Resource, ResourceFilter, ResourceKind, Words};
use crate::store::kept;

/// See [`crate::store::MirrorStore::resources`].
pub(super) async fn list(
    readers: &SqlitePool,
    kind: ResourceKind,
    filter: &ResourceFilter,
    page: PageRequest<Place>,
) -> Result<Vec<Resource>, sqlx::Error> {
    let keys = &filter.keys;
    let contacts =
        (!filter.contact_uids.is_empty()).then(|| Value::from(filter.contact_uids.clone()).to_string());
    let rows = sqlx::query(statement(filter))
        .bind(kind.as_str())
        .bind(page.below.as_ref().map_or(i64::MAX, |below| instant(below.at)))
        .bind(page.below.as_ref().map_or_else(Default::default, |below| kept::text(&below.uid)))
        .bind(filter.from.map_or(i64::MIN, instant))
        .bind(filter.before.map_or(i64::MAX, instant))
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
        .bind(all_of(kind, &filter.words))
        .bind(page.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::resource).collect()
}

/// The statement for a filter: by what usually leaves the least to look at.
fn statement(filter: &ResourceFilter) -> &'static str {
    let keys = &filter.keys;
    let candidates = [
        (keys.conversation_uid.is_some(), sql::RESOURCES_OF_CONVERSATION),
        (!filter.contact_uids.is_empty(), sql::RESOURCES_OF_CONTACT),
        (keys.channel_identifier.is_some(), sql::RESOURCES_OF_CHANNEL),
        (keys.merged_into.is_some(), sql::RESOURCES_MERGED),
        (!filter.words.is_empty(), sql::RESOURCES_WITH_WORDS),
        (keys.is_awaiting.is_some() && keys.location_uid.is_some(), sql::RESOURCES_AWAITING_AT_LOCATION),
        (keys.is_awaiting.is_some(), sql::RESOURCES_AWAITING),
        (keys.user_uid.is_some(), sql::RESOURCES_OF_USER),
        (keys.status.is_some(), sql::RESOURCES_OF_STATUS),
        (keys.location_uid.is_some(), sql::RESOURCES_OF_LOCATION),
        (keys.channel_type.is_some(), sql::RESOURCES_OF_CHANNEL_TYPE),
        (keys.organization_uid.is_some(), sql::RESOURCES_OF_ORGANIZATION),
    ];
    candidates.into_iter().find(|(is_asked, _)| *is_asked).map_or(sql::RESOURCES, |(_, statement)| statement)
}

/// A query for all of the words. They are of letters and digits only, so quotes are all they need.
fn all_of(kind: ResourceKind, words: &Words) -> Option<String> {
    let words: Vec<_> = kept::lexemes(kind, words).iter().map(|word| format!("\"{word}\"")).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// See [`crate::store::MirrorStore::resources_by_uid`].
pub(super) async fn by_uid(
    readers: &SqlitePool,
    kind: ResourceKind,
    uids: &[String],
) -> Result<Vec<Resource>, sqlx::Error> {
    let rows = sqlx::query(sql::RESOURCES_BY_UID)
        .bind(kind.as_str())
        .bind(Value::from(uids).to_string())
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::resource).collect()
}

/// See [`crate::store::MirrorStore::merged_uids`].
pub(super) async fn merged_uids(
    readers: &SqlitePool,
    kind: ResourceKind,
    uid: &str,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(sql::MERGED_UIDS).bind(kind.as_str()).bind(uid).fetch_all(readers).await
}

/// See [`crate::store::MirrorStore::events_of`].
pub(super) async fn events_of(
    readers: &SqlitePool,
    kind: ResourceKind,
    uid: &str,
    page: PageRequest<EventId>,
) -> Result<Vec<EventRecord>, sqlx::Error> {
    let rows = sqlx::query(sql::EVENTS_OF)
        .bind(kind.as_str())
        .bind(uid)
        .bind(page.below.map_or(Uuid::max(), EventId::as_uuid))
        .bind(page.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(map::event).collect()
}
