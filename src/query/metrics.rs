//! What monitoring reads.

use axum::extract::State as Extracted;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::State;

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn show(Extracted(state): Extracted<State>) -> impl IntoResponse {
    ([(CONTENT_TYPE, FORMAT)], (state.metrics)())
}
