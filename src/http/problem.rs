//! The body of every answer that is not a success, in the form that Podium's own API uses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error as the caller sees it: `{"code": …, "message": …, "moreInfo": …}`. It tells what the caller can do, and
/// nothing of the inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    more_info: Option<String>,
}

impl Problem {
    /// A problem: `code` for programs, in snake case; `message` for people.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), more_info: None }
    }

    /// Adds what else would help, such as the values that are allowed.
    #[must_use]
    pub fn more_info(mut self, more_info: impl Into<String>) -> Self {
        self.more_info = Some(more_info.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            code: &'a str,
            message: &'a str,
            more_info: Option<&'a str>,
        }
        let body = Body { code: self.code, message: &self.message, more_info: self.more_info.as_deref() };
        (self.status, Json(body)).into_response()
    }
}
