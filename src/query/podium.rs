//! What is asked of Podium itself: lead IDs, the names of users, and the end of signing in.

use std::collections::HashMap;

use async_trait::async_trait;
use axum::extract::{Query, State as Extracted};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, response};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::openapi::{Book, Shown, says};
use super::path::{Id, Plain};
use super::refusal::Refusal;
use super::resources::Uid;
use super::{State, answer};
use crate::model::ResourceKind;

/// What asks Podium.
#[async_trait]
pub trait Podium: Send + Sync + 'static {
    /// The lead ID of a conversation, as Podium has it; `None` where Podium does not offer it.
    async fn lead_id(
        &self,
        location: &str,
        organization: &str,
        conversation: &str,
    ) -> Result<Option<Box<RawValue>>, Unanswered>;

    /// What people call a user of Podium's; none when that is not known.
    fn name_of(&self, user: &str) -> Option<String>;

    /// Ends to sign in; the sentence says why it did not.
    async fn end_sign_in(&self, state: &str, code: &str) -> Result<(), String>;
}

/// Podium did not give what it was asked for. What it was is in the log.
#[derive(Clone, Copy, Debug)]
pub struct Unanswered;

/// The operations that ask Podium.
pub(super) fn entries(book: Book) -> Book {
    let lead_id = says("Conversations", "The lead ID that Podium has for a conversation")
        .more("Podium is asked for it once, with the account that is signed in.")
        .one::<LeadId>();
    book.get(
        "/api/v1/conversations/{uid}/lead-id",
        self::lead_id,
        lead_id
            .refuses(Refusal::NotMirrored)
            .refuses(Refusal::NotOffered)
            .refuses(Refusal::NoAccount)
            .refuses(Refusal::PodiumUnanswered),
    )
}

/// Where Podium leads back to after signing in: to a browser, which has no token to show. What proves that it was asked for is the
/// state that it brings.
pub(super) fn callback() -> Router<State> {
    Router::new().route("/oauth/callback", get(signed_in))
}

/// What Podium has for a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LeadId {
    /// The conversation.
    conversation_uid: String,
    /// What Podium says, as it says it.
    #[schema(value_type = serde_json::Value)]
    lead: Box<RawValue>,
}

impl Shown for LeadId {
    fn example() -> Value {
        json!({ "conversationUid": "9b2f1c34-1d52-4a0e-8a8e-0c6f6a2f9d11", "lead": { "leadId": "L-20311" } })
    }
}

/// `GET /api/v1/conversations/{uid}/lead-id`
async fn lead_id(
    Extracted(state): Extracted<State>,
    Id(uid): Id<Uid>,
    Plain(uri): Plain,
) -> Result<Response, Refusal> {
    let uid = uid.into_text();
    let found = state.mirror.resources_by_uid(ResourceKind::Conversation, std::slice::from_ref(&uid)).await?;
    let keys = found.into_iter().next().ok_or(Refusal::NotMirrored)?.keys;
    let podium = state.podium.as_ref().ok_or(Refusal::NoAccount)?;
    // Without both there is nothing to ask for.
    let (Some(location), Some(organization)) = (keys.location_uid, keys.organization_uid) else {
        return Err(Refusal::NotOffered);
    };
    let lead = podium.lead_id(&location, &organization, &uid).await;
    let lead = lead.map_err(|Unanswered| Refusal::PodiumUnanswered)?.ok_or(Refusal::NotOffered)?;
    Ok(answer::one(&uri, &LeadId { conversation_uid: uid, lead }))
}

/// `GET /oauth/callback`
async fn signed_in(
    Extracted(state): Extracted<State>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let get = |key: &str| asked.get(key).map(String::as_str).filter(|text| (1..=2048).contains(&text.len()));
    let ended = match (&state.podium, get("state"), get("code")) {
        (Some(podium), Some(state), Some(code)) => podium.end_sign_in(state, code).await,
        (None, ..) => Err("`podium.client_id` is not set in this server's configuration".to_owned()),
        _ => Err("Podium has led here without a code: it was not allowed".to_owned()),
    };
    match ended {
        Ok(()) => page(StatusCode::OK, "Lectern is signed in to Podium. This window can be closed."),
        Err(why) => page(StatusCode::BAD_REQUEST, &format!("Lectern is not signed in: {why}.")),
    }
}

fn page(status: StatusCode, sentence: &str) -> Response {
    // What Podium said of the reason may be in the sentence.
    let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        // The address holds the code.
        (REFERRER_POLICY, "no-referrer"),
    ];
    let html = format!("<!doctype html><title>Lectern</title><p>{sentence}</p>");
    (status, headers, response::Html(html)).into_response()
}
