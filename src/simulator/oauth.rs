//! Signing in. Whoever comes is let in: there is no one to ask.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use serde_json::json;
use tokio::time::Instant;

use super::world::World;
use crate::config::random_text;

/// `GET /oauth/authorize`
pub(super) async fn authorize(
    State(world): State<Arc<World>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let get = |key: &str| asked.get(key).map(String::as_str).unwrap_or_default();
    let back = reqwest::Url::parse(get("redirect_uri"));
    let (Ok(mut back), true) = (back, get("client_id") == world.settings.client_id) else {
        return (StatusCode::BAD_REQUEST, "client_id or redirect_uri is not right").into_response();
    };
    let code = random_text().unwrap_or_default();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", get("state"));
    world.state().codes.insert(code);
    Redirect::to(back.as_str()).into_response()
}

/// `POST /oauth/token`
pub(super) async fn token(
    State(world): State<Arc<World>>,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let get = |key: &str| asked.get(key).map(String::as_str).unwrap_or_default();
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if (get("client_id"), get("client_secret"))
        != (world.settings.client_id.as_str(), world.settings.client_secret.as_str())
    {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let mut state = world.state();
    let refresh = match get("grant_type") {
        "authorization_code" if state.codes.remove(get("code")) => random_text().unwrap_or_default(),
        "refresh_token" if state.refresh.contains(get("refresh_token")) => {
            if world.settings.rotates_refresh_tokens {
                state.refresh.remove(get("refresh_token"));
                random_text().unwrap_or_default()
            } else {
                get("refresh_token").to_owned()
            }
        }
        "authorization_code" | "refresh_token" => return refused("invalid_grant"),
        _ => return refused("unsupported_grant_type"),
    };
    let access = random_text().unwrap_or_default();
    state.access.insert(access.clone(), Instant::now() + world.settings.token_lives);
    state.refresh.insert(refresh.clone());
    Json(json!({
        "access_token": access, "refresh_token": refresh, "token_type": "bearer",
        "expires_in": world.settings.token_lives.as_secs(),
    }))
    .into_response()
}
