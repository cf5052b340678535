//! What monitoring reads.

use axum::extract::State as Extracted;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::State;
use super::openapi::{Book, says};

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The operation of monitoring.
pub(super) fn entries(book: Book) -> Book {
    book.get("/metrics", show, says("Monitoring", "Counts, in the text format of Prometheus").text(FORMAT))
}

/// `GET /metrics`
pub(super) async fn show(Extracted(state): Extracted<State>) -> impl IntoResponse {
    ([(CONTENT_TYPE, FORMAT)], (state.metrics)())
}
