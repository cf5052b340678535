//! What wraps every route of a listener, and what answers where there is none.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

use super::{Problem, drain, request_log};

/// The longest that any request may take, its body included: nobody holds a connection for ever.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// Wraps a listener's routes. From the inside out:
///
/// 1. an answer in the common form where there is no such route or no such method;
/// 2. the time limit;
/// 3. panics become a 500, after the others, so that those of every layer below are caught;
/// 4. a name and a line in the log, last, so that every answer has them.
pub fn wrap_public(routes: Router) -> Router {
    wrap(routes).layer(from_fn(request_log::public))
}

/// The same for the internal listener, whose log says more.
pub fn wrap_internal(routes: Router) -> Router {
    wrap(routes).layer(from_fn(request_log::internal))
}

fn wrap(routes: Router) -> Router {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
}

async fn no_such_route(body: Body) -> Problem {
    drain(body).await;
    Problem::new(StatusCode::NOT_FOUND, "route_not_found", "there is nothing at this path")
}

async fn no_such_method(body: Body) -> Problem {
    drain(body).await;
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take this method")
        .more_info("the Allow header names the methods that it takes")
}

async fn in_time(request: Request, next: Next) -> Response {
    match timeout(REQUEST_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => {
            // What is left of the request, if anything, is not waited for.
            ([(CONNECTION, "close")], took_too_long()).into_response()
        }
    }
}

/// What whoever took too long is told, on either side.
pub fn took_too_long() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the request took too long")
}

fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    // The panic hook has logged where it was; what it said stays inside.
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_server_error",
        "something went wrong on our side",
    )
    .into_response()
}
