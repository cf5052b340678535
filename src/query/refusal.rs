//! Why a request does not get what it asked for, translated once into what the caller is told.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::params::InvalidParams;
use crate::http::Problem;
use crate::store::StoreError;
use crate::telemetry::Chain;

/// Why a request does not get what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It shows no token that is known; the sentence says what is wrong.
    Unauthenticated(&'static str),
    /// Too many requests show no such token; so many seconds later one more may try.
    TooManyFailures(u64),
    /// It shows a token that only reads, and wants more.
    OnlyReads,
    /// Its parameters are not those of the operation.
    InvalidParams(InvalidParams),
    /// Its cursor is none, or another list's.
    InvalidCursor,
    /// Its body is no JSON object.
    InvalidBody,
    /// The path fits, but there is no such thing.
    ResourceNotFound,
    /// What stands in `Last-Event-ID` is no place in the stream of events.
    NoPlaceInStream,
    /// As many listen to the stream of events as may.
    TooManyListeners,
    /// The mirror has nothing with this uid.
    NotMirrored,
    /// There is no handler of this name, and nothing for one.
    HandlerNotFound,
    /// The delivery can't be called done: it does not wait for a person.
    NotDead,
    /// Podium does not offer it.
    NotOffered,
    /// Nobody has signed in to Podium.
    NoAccount,
    /// Podium did not answer as it should.
    PodiumUnanswered,
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

impl Refusal {
    /// What the caller is told.
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Unauthenticated(message) => {
                Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", *message)
                    .more_info("send `Authorization: Bearer <token>`; `lectern token create` makes a token")
            }
            Self::TooManyFailures(_) => {
                let message = "too many requests came without a valid token";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", message)
                    .more_info("try again after the seconds in Retry-After; whoever has a valid token is answered all the same")
            }
            Self::OnlyReads => {
                let message = "this token only reads: its role is `read`, which allows GET and HEAD";
                Problem::new(StatusCode::FORBIDDEN, "unauthorized", message)
                    .more_info("`lectern token create --role admin` makes a token that may do everything")
            }
            Self::InvalidParams(invalid) => {
                Problem::new(StatusCode::BAD_REQUEST, "invalid_request_values", invalid.message())
                    .more_info(invalid.allowed())
            }
            Self::InvalidCursor => {
                Problem::new(StatusCode::BAD_REQUEST, "invalid_cursor", "the cursor is not one of this list")
                    .more_info(
                        "use metadata.nextCursor of this list as it is, or start again without a cursor",
                    )
            }
            Self::ResourceNotFound => {
                Problem::new(StatusCode::NOT_FOUND, "resource_not_found", "there is nothing with this id")
                    .more_info("ids are UUIDs; old events are forgotten, and their deliveries with them")
            }
            Self::InvalidBody => {
                let message = "the body is no JSON object, or too large";
                Problem::new(StatusCode::BAD_REQUEST, "invalid_request_values", message)
                    .more_info("the parameters of this operation stand in the query, or in a JSON object as the body")
            }
            Self::NoPlaceInStream => {
                let message = "Last-Event-ID: what it holds is not the id of an event of this stream";
                Problem::new(StatusCode::BAD_REQUEST, "invalid_request_values", message)
                    .more_info("send the last id that the stream had, or leave the header out to hear what comes from now on")
            }
            Self::TooManyListeners => {
                let message = "too many listen to the stream of events";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", message)
                    .more_info("64 may at once: let one listener serve several systems")
            }
            Self::NotMirrored => {
                let message = "the mirror has nothing with this uid";
                Problem::new(StatusCode::NOT_FOUND, "resource_not_found", message)
                    .more_info("it has what events told of since they are received here; GET /api/v1/mirror shows how it stands")
            }
            Self::HandlerNotFound => {
                let message = "there is no handler with this name";
                Problem::new(StatusCode::NOT_FOUND, "resource_not_found", message)
                    .more_info("GET /api/v1/handlers lists those that are configured or have something to do")
            }
            Self::NotDead => {
                let message = "the delivery is not dead: only what was given up is called done by a person";
                Problem::new(StatusCode::CONFLICT, "delivery_not_dead", message)
                    .more_info("GET /api/v1/deliveries/{id} shows where it stands")
            }
            Self::NotOffered => {
                let message = "Podium does not offer this";
                Problem::new(StatusCode::NOT_FOUND, "not_offered", message)
                    .more_info("it has no lead ID for this conversation; it is asked again after a day")
            }
            Self::NoAccount => {
                let message = "Podium can't be asked: there is no account";
                Problem::new(StatusCode::CONFLICT, "no_account", message)
                    .more_info("`lectern auth login` signs in, with `podium.client_id` and `podium.client_secret` in the configuration")
            }
            Self::PodiumUnanswered => {
                let message = "Podium did not answer as it should";
                Problem::new(StatusCode::BAD_GATEWAY, "podium_unanswered", message)
                    .more_info("the log says why; ask again later")
            }
            Self::RouteNotFound => {
                Problem::new(StatusCode::NOT_FOUND, "route_not_found", "there is nothing at this path")
                    .more_info("the lists are at /api/v1/messages, conversations, contacts, invoices, reviews, review-invites, review-responses, calls, events, deliveries, handlers, replays, sources and quarantine")
            }
            Self::MethodNotAllowed => {
                let message = "this path does not take this method";
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
                    .more_info("the Allow header names the methods that it takes")
            }
            Self::Store(StoreError::Unavailable(_)) => {
                let message = "the store is not available";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", message)
                    .more_info("ask again in a second")
            }
            Self::Store(_) => {
                let message = "something went wrong on our side";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", message)
                    .more_info("the log says what")
            }
        }
    }

    /// What a header tells besides.
    pub(super) fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Self::Unauthenticated(_) => Some((WWW_AUTHENTICATE, "Bearer".to_owned())),
            Self::TooManyFailures(seconds) => Some((RETRY_AFTER, seconds.to_string())),
            Self::TooManyListeners => Some((RETRY_AFTER, "10".to_owned())),
            Self::Store(StoreError::Unavailable(_)) => Some((RETRY_AFTER, "1".to_owned())),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            let is_away = matches!(error, StoreError::Unavailable(_));
            let error = Chain(error);
            if is_away {
                tracing::warn!(%error, "a question could not be answered");
            } else {
                tracing::error!(%error, "a question could not be answered");
            }
        }
        match self.header() {
            Some(header) => ([header], self.problem()).into_response(),
            None => self.problem().into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_inside_is_told_to_the_log_once_and_never_to_the_caller() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let failed = StoreError::Failed(Box::new(io::Error::other("no such table: events")));
        let response =
            tracing::subscriber::with_default(subscriber, || Refusal::from(failed).into_response());

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("internal_server_error") && !body.contains("table"), "{body}");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.matches("the store failed: no such table: events").count(), 1, "{log}");
        assert!(log.contains("ERROR"), "{log}");
    }
}
