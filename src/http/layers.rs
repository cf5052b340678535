//! What wraps every route of a listener, and what answers where there is none.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::Problem;

/// The longest that any request may take, its body included: nobody holds a connection for ever.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// Wraps a listener's routes. From the inside out:
///
/// 1. an answer in the common form where there is no such route or no such method;
/// 2. the time limit;
/// 3. panics become a 500, last, so that those of every layer below are caught.
pub fn wrap(routes: Router) -> Router {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_WITHIN))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "route_not_found", "there is nothing at this path")
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take this method")
        .more_info("the Allow header names the methods that it takes")
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is the layer's")]
fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    // The panic hook has logged where it was; what it said stays inside.
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_server_error",
        "something went wrong on our side",
    )
    .into_response()
}
