//! What can be asked, and by whom.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{Refused, answer};
use super::world::World;
use super::{lists, oauth, webhooks};
use crate::podium::EventType;

const MINUTE: Duration = Duration::from_secs(60);

/// The lists, by path: what is asked for by its uid has another path than the list in no case but this.
const LISTS: [&str; 8] =
    ["conversations", "contacts", "invoices", "reviews", "users", "locations", "organizations", "calls"];

pub(super) fn router(world: Arc<World>) -> Router {
    let mut api = Router::new()
        .route("/v4/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/v4/webhooks/{uid}", get(webhooks::show).put(webhooks::update).delete(webhooks::delete))
        .route("/v4/conversations/{uid}/messages", get(lists::messages))
        .route("/v4/conversations/{location}/{organization}/{conversation}", get(lists::lead_id))
        .route("/v4/reviews/invites", get(|world, asked| listed("invites", world, asked)));
    for list in LISTS {
        let one = move |State(world): State<Arc<World>>, Path(uid): Path<String>| async move {
            lists::one(&world, list, &uid)
        };
        api = api.route(&format!("/v4/{list}/{{uid}}"), get(one));
        // Calls can't be listed, and neither can organizations.
        if !["calls", "organizations"].contains(&list) {
            api = api.route(&format!("/v4/{list}"), get(move |world, asked| listed(list, world, asked)));
        }
    }
    api.route_layer(from_fn_with_state(Arc::clone(&world), admit))
        .route("/oauth/authorize", get(oauth::authorize))
        .route("/oauth/token", post(oauth::token))
        .route("/simulate/messages", post(say))
        .route("/simulate/events", post(happen))
        .fallback(async || Refused(StatusCode::NOT_FOUND, "route_not_found", "There is no such route."))
        .with_state(world)
}

type Asked = Query<HashMap<String, String>>;

async fn listed(
    list: &'static str,
    State(world): State<Arc<World>>,
    Query(asked): Asked,
) -> Result<Response, Refused> {
    lists::page(&world, list, &asked)
}

/// Lets a request through that shows a good token, if not too many have come within a minute.
async fn admit(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let limit = world.settings.requests_per_minute as usize;
    let (remaining, reset) = {
        let mut state = world.state();
        let now = Instant::now();
        while state.asked.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            state.asked.pop_front();
        }
        let reset =
            state.asked.front().map_or(0, |first| (MINUTE - now.duration_since(*first)).as_secs() + 1);
        if state.asked.len() >= limit {
            drop(state);
            let refused = Refused(StatusCode::TOO_MANY_REQUESTS, "rate_limit", "Too many requests.");
            return limited(refused.into_response(), limit, 0, reset);
        }
        state.asked.push_back(now);
        if state.failing > 0 {
            state.failing -= 1;
            return Refused(StatusCode::SERVICE_UNAVAILABLE, "internal_server_error", "Try again.")
                .into_response();
        }
        let is_good = token.is_some_and(|token| state.access.get(&token).is_some_and(|ends| *ends > now));
        if !is_good {
            return Refused(StatusCode::UNAUTHORIZED, "unauthenticated", "The token is not good.")
                .into_response();
        }
        (limit - state.asked.len(), reset)
    };
    limited(next.run(request).await, limit, remaining, reset)
}

fn limited(mut response: Response, limit: usize, remaining: usize, reset: u64) -> Response {
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", HeaderValue::from(limit));
    headers.insert("ratelimit-remaining", HeaderValue::from(remaining));
    headers.insert("ratelimit-reset", HeaderValue::from(reset));
    response
}

/// `POST /simulate/messages`: `{"conversation": …, "body": …, "type": "message.received"}`
async fn say(State(world): State<Arc<World>>, Json(asked): Json<Value>) -> Response {
    let text = |key: &str, default: &str| asked[key].as_str().unwrap_or(default).to_owned();
    let event_type = EventType::from(text("type", "message.received").as_str());
    let uid = world.say(
        &text("conversation", "a-conversation"),
        &text("body", "Is it still for sale?"),
        &event_type,
    );
    answer(json!({ "uid": uid }), None)
}

/// `POST /simulate/events`: `{"type": "review.created"}`
async fn happen(State(world): State<Arc<World>>, Json(asked): Json<Value>) -> Result<Response, Refused> {
    let event_type = EventType::from(asked["type"].as_str().unwrap_or_default());
    let uid = world.happen(&event_type);
    let uid =
        uid.ok_or(Refused(StatusCode::BAD_REQUEST, "invalid_request_values", "No such type is played."))?;
    Ok(answer(json!({ "uid": uid }), None))
}
