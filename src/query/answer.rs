//! The form of every successful answer, Podium's own: `{"data": …, "metadata": {…}}`.

use axum::Json;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

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
    Json(Answer { data, metadata: Metadata { url, version: "v1", next_cursor } }).into_response()
}

#[derive(Serialize)]
struct Answer<'a, T: ?Sized> {
    data: &'a T,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    /// What was asked for, without the host.
    url: &'a str,
    /// The version of this API.
    version: &'static str,
    next_cursor: Option<&'a str>,
}
