//! Lists, and the things on them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{NOT_FOUND, Refused, answer};
use super::world::World;

/// The parameters that narrow a list, and the property that each is about.
const SINCE: [(&str, &str); 7] = [
    ("updated_at", "updatedAt"),
    ("updatedAt[gte]", "updatedAt"),
    ("createdAt[gte]", "createdAt"),
    ("updatedAfter", "updatedAt"),
    ("dateCreated", "createdAt"),
    ("datePaid", "paidAt"),
    ("dateRefunded", "refundedAt"),
];

type Asked = Query<HashMap<String, String>>;

/// `GET /v4/LIST`
pub(super) fn page(world: &World, list: &str, asked: &HashMap<String, String>) -> Result<Response, Refused> {
    let state = world.state();
    let things = state.lists.get(list).map(Vec::as_slice).unwrap_or_default();
    let fits = |thing: &&Value| {
        SINCE.iter().all(|(parameter, property)| match asked.get(*parameter) {
            Some(since) => moment(&thing[*property]) >= since.parse().ok() && !thing[*property].is_null(),
            None => true,
        }) && asked.get("locationUid").is_none_or(|location| {
            thing["locationUid"] == **location || thing["location"]["uid"] == **location
        })
    };
    cut(things.iter().filter(fits).cloned().collect(), asked)
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// `GET /v4/LIST/{uid}`
pub(super) fn one(world: &World, list: &str, uid: &str) -> Result<Response, Refused> {
    let state = world.state();
    let things = state.lists.get(list).map(Vec::as_slice).unwrap_or_default();
    let thing = things.iter().find(|thing| thing["uid"] == uid).ok_or(NOT_FOUND)?;
    Ok(answer(thing.clone(), None))
}

/// `GET /v4/conversations/{uid}/messages`, the newest first.
pub(super) async fn messages(
    State(world): State<Arc<World>>,
    Path(uid): Path<String>,
    Query(asked): Asked,
) -> Result<Response, Refused> {
    let messages = world.state().messages.get(&uid).cloned().ok_or(NOT_FOUND)?;
    cut(messages.into_iter().rev().collect(), &asked)
}

/// `GET /v4/conversations/{location}/{organization}/{conversation}`
pub(super) async fn lead_id(
    State(world): State<Arc<World>>,
    Path((_, _, conversation)): Path<(String, String, String)>,
) -> Result<Response, Refused> {
    one(&world, "conversations", &conversation)?;
    Ok(answer(serde_json::json!({ "leadId": format!("lead-{conversation}") }), None))
}

/// A page of what there is: ten unless more are asked for, from the place that the cursor names.
fn cut(things: Vec<Value>, asked: &HashMap<String, String>) -> Result<Response, Refused> {
    let invalid = Refused(StatusCode::BAD_REQUEST, "invalid_cursor", "The cursor may have expired.");
    let limit = asked.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10_usize).clamp(1, 100);
    let from = match asked.get("cursor") {
        Some(cursor) => cursor.strip_prefix("after-").and_then(|at| at.parse().ok()).ok_or(invalid)?,
        None => 0_usize,
    };
    let next = (from + limit < things.len()).then(|| format!("after-{}", from + limit));
    Ok(answer(things.into_iter().skip(from).take(limit).collect(), next))
}
