//! The document and the page that shows it. Both are in the program, and the page asks for nothing from elsewhere.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::book::Book;
use super::document::document;
use super::says::says;
use crate::query;

/// Nothing but what this listener serves itself, nothing inline, and no other page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// It is the same for as long as the program runs.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| document(query::operations()).to_string().into_bytes().into());

/// What tells of the API. It holds no data, and a browser can't send a token with a link: nobody is asked for one.
pub(in crate::query) fn entries(book: Book) -> Book {
    let tag = "This document";
    book.get("/openapi.json", show, says(tag, "The API as an OpenAPI document").open().object())
        .get("/docs", page, says(tag, "The API as a page").open().text("text/html; charset=utf-8"))
        .get("/docs/page.css", style, says(tag, "How the page looks").open().text("text/css; charset=utf-8"))
        .get(
            "/docs/page.js",
            script,
            says(tag, "What makes the page of the document").open().text("text/javascript; charset=utf-8"),
        )
}

/// `GET /openapi.json`
async fn show() -> Response {
    served("application/json", DOCUMENT.clone())
}

/// `GET /docs`
async fn page() -> Response {
    served("text/html; charset=utf-8", Bytes::from_static(include_bytes!("page.html")))
}

/// `GET /docs/page.css`
async fn style() -> Response {
    served("text/css; charset=utf-8", Bytes::from_static(include_bytes!("page.css")))
}

/// `GET /docs/page.js`
async fn script() -> Response {
    served("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("page.js")))
}

fn served(content_type: &'static str, body: Bytes) -> Response {
    let headers: [(HeaderName, HeaderValue); 6] = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Another version of the program has another document.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, body).into_response()
}
