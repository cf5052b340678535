//! The form of every successful answer, Podium's own: `{"data": …, "metadata": {…}}`.

use axum::Json;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An answer with one thing.
pub(super) fn one(uri: &Uri, data: &impl Serialize) -> Response {
    answer(uri, data, None)
}

/// An answer with a page of a list.
pub(super) fn page(uri: &Uri, items: &[impl Serialize], next_cursor: Option<&str>) -> Response {
    answer(uri, items, next_cursor)
}

fn answer<T: Serialize + ?Sized>(uri: &Uri, data: &T, next_cursor: Option<&str>) -> Response {
    let url = uri.path_and_query().map_or("/", |asked| asked.as_str());
    Json(Answer::new(url, data, next_cursor)).into_response()
}

/// What an answer looks like, for the document of the API.
pub(super) fn example(url: &str, data: &Value, next_cursor: Option<&str>) -> Value {
    json!(Answer::new(url, data, next_cursor))
}

#[derive(Serialize)]
struct Answer<'a, T: ?Sized> {
    data: &'a T,
    metadata: Metadata<'a>,
}

impl<'a, T: ?Sized> Answer<'a, T> {
    fn new(url: &'a str, data: &'a T, next_cursor: Option<&'a str>) -> Self {
        Self { data, metadata: Metadata { url, version: "v1", next_cursor } }
    }
}

/// What stands beside the data of every answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    /// What was asked for, without the host.
    url: &'a str,
    /// The version of this API.
    version: &'static str,
    /// Where the next page begins; null when there is none.
    next_cursor: Option<&'a str>,
}
