//! Webhooks.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::answer::{NOT_FOUND, Refused, answer};
use super::deliver::deliver;
use super::world::{Hook, World, now};

const INVALID: Refused =
    Refused(StatusCode::BAD_REQUEST, "invalid_request_values", "eventTypes, url and an owner are needed.");

/// `GET /v4/webhooks`
pub(super) async fn list(State(world): State<Arc<World>>) -> Response {
    answer(world.state().webhooks.iter().map(|(uid, hook)| shown(uid, hook)).collect(), None)
}

/// `POST /v4/webhooks`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Json(asked): Json<Value>,
) -> Result<Response, Refused> {
    let text = |key: &str| asked[key].as_str().map(str::to_owned);
    let (types, url) = (types(&asked["eventTypes"]).ok_or(INVALID)?, text("url").ok_or(INVALID)?);
    let organization = text("organizationUid");
    let location = text("locationUid").filter(|_| organization.is_none());
    if types.is_empty() || (organization.is_none() && location.is_none()) {
        return Err(INVALID);
    }
    let hook = Hook {
        url,
        types,
        secret: text("secret").map(Into::into),
        location,
        organization,
        is_disabled: false,
        created_at: now(),
        updated_at: now(),
        waiting: VecDeque::new(),
        news: Arc::default(),
        changed: Arc::default(),
    };
    let mut state = world.state();
    let uid = state.uid();
    let said = shown(&uid, &hook);
    state.webhooks.insert(uid.clone(), hook);
    drop(state);
    world.tasks.spawn(deliver(Arc::clone(&world), uid));
    Ok(answer(said, None))
}

/// `GET /v4/webhooks/{uid}`
pub(super) async fn show(
    State(world): State<Arc<World>>,
    Path(uid): Path<String>,
) -> Result<Response, Refused> {
    let state = world.state();
    let hook = state.webhooks.get(&uid).ok_or(NOT_FOUND)?;
    Ok(answer(shown(&uid, hook), None))
}

/// `PUT /v4/webhooks/{uid}`
pub(super) async fn update(
    State(world): State<Arc<World>>,
    Path(uid): Path<String>,
    Json(asked): Json<Value>,
) -> Result<Response, Refused> {
    let mut state = world.state();
    let hook = state.webhooks.get_mut(&uid).ok_or(NOT_FOUND)?;
    if let Some(url) = asked["url"].as_str() {
        url.clone_into(&mut hook.url);
    }
    if let Some(secret) = asked["secret"].as_str() {
        hook.secret = Some(secret.into());
    }
    if let Some(types) = types(&asked["eventTypes"]) {
        hook.types = types;
    }
    if let Some(is_disabled) = asked["disabled"].as_bool() {
        hook.is_disabled = is_disabled;
    }
    hook.updated_at = now();
    hook.news.notify_one();
    hook.changed.notify_one();
    Ok(answer(shown(&uid, hook), None))
}

/// `DELETE /v4/webhooks/{uid}`
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(uid): Path<String>,
) -> Result<Response, Refused> {
    let hook = world.state().webhooks.remove(&uid).ok_or(NOT_FOUND)?;
    // Whoever delivers finds that it is gone.
    hook.news.notify_one();
    hook.changed.notify_one();
    Ok(answer(shown(&uid, &hook), None))
}

fn types(asked: &Value) -> Option<Vec<String>> {
    asked.as_array().map(|types| types.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect())
}

fn shown(uid: &str, hook: &Hook) -> Value {
    json!({
        "uid": uid, "url": hook.url, "eventTypes": hook.types, "disabled": hook.is_disabled,
        "locationUid": hook.location, "organizationUid": hook.organization,
        "secret": hook.secret.as_ref().map(SecretString::expose_secret),
        "createdAt": hook.created_at, "updatedAt": hook.updated_at,
    })
}
