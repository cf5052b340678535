//! Answers in the form of Podium's.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that is none.
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str, pub(super) &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, Json(json!({ "code": code, "message": message, "moreInfo": null }))).into_response()
    }
}

pub(super) const NOT_FOUND: Refused =
    Refused(StatusCode::NOT_FOUND, "resource_not_found", "There is no such thing.");

/// An answer with one thing, or with a page of them.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of their way: whoever answers has no use for them after"
)]
pub(super) fn answer(data: Value, next: Option<String>) -> Response {
    Json(json!({ "data": data, "metadata": { "nextCursor": next, "version": "2021.04.01" } })).into_response()
}
