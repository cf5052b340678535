//! Why a request does not get what it asked for, translated once into what the caller is told.

use std::error::Error;
use std::iter;

use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

use super::params::InvalidParams;
use crate::http::Problem;
use crate::store::StoreError;

/// Why a request does not get what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It shows no token that is known; the sentence says what is wrong.
    Unauthenticated(&'static str),
    /// Its parameters are not those of the operation.
    InvalidParams(InvalidParams),
    /// Its cursor is none, or another list's.
    InvalidCursor,
    /// The path fits, but there is no such thing.
    ResourceNotFound,
    /// There is no such path.
    RouteNotFound,
    /// The path can't be asked this way.
    MethodNotAllowed,
    /// The store did not answer as it should.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthenticated(message) => {
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", message).more_info(
                    "Send the header `Authorization: Bearer <token>`. `lectern token create` makes a token.",
                );
                ([(WWW_AUTHENTICATE, "Bearer")], problem).into_response()
            }
            Self::InvalidParams(invalid) => {
                Problem::new(StatusCode::BAD_REQUEST, "invalid_request_values", invalid.message())
                    .more_info(invalid.allowed())
                    .into_response()
            }
            Self::InvalidCursor => Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_cursor",
                "The cursor is not one of this list.",
            )
            .more_info(
                "Use `metadata.nextCursor` of a page of this list as it is, or start again without it.",
            )
            .into_response(),
            Self::ResourceNotFound => {
                Problem::new(StatusCode::NOT_FOUND, "resource_not_found", "There is nothing with this id.")
                    .more_info(
                        "Ids are UUIDs. Events that are old enough are forgotten, with their deliveries.",
                    )
                    .into_response()
            }
            Self::RouteNotFound => {
                Problem::new(StatusCode::NOT_FOUND, "route_not_found", "There is nothing at this path.")
                    .more_info("The lists are at /api/v1/events and /api/v1/deliveries.")
                    .into_response()
            }
            Self::MethodNotAllowed => Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path has no such method.",
            )
            .more_info("The Allow header names those that it has.")
            .into_response(),
            Self::Store(StoreError::Unavailable(cause)) => {
                tracing::warn!(
                    error = chain(cause.as_ref()),
                    "the store is unavailable: a request is answered 503"
                );
                let message = "The store is unavailable at the moment.";
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", message)
                    .more_info("Repeat the request after a second.");
                ([(RETRY_AFTER, "1")], problem).into_response()
            }
            Self::Store(error) => {
                tracing::error!(error = chain(&error), "the store failed: a request is answered 500");
                let message = "Something went wrong inside.";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", message)
                    .more_info("The log of the service says what.")
                    .into_response()
            }
        }
    }
}

/// The error and what led to it: `the store failed: no such table: events`.
fn chain(error: &(dyn Error + 'static)) -> String {
    iter::successors(Some(error), |error| (*error).source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gets_the_whole_chain_of_causes() {
        let error = StoreError::Failed(Box::new(std::io::Error::other("disk on fire")));
        assert_eq!(chain(&error), "the store failed: disk on fire");
    }
}
