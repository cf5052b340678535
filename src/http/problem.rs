//! The body of every answer that is not a success, in the form that Podium's own API uses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

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

/// How it is written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// For programs, in snake case.
    code: &'a str,
    /// For people: what is wrong.
    message: &'a str,
    /// What else would help, such as the values that are allowed.
    more_info: Option<&'a str>,
}

impl Problem {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What programs know it by.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The body of the answer.
    pub fn body(&self) -> ProblemBody<'_> {
        ProblemBody { code: self.code, message: &self.message, more_info: self.more_info.as_deref() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}
