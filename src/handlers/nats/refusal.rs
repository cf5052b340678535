//! Why NATS did not take something, in words for the person who has to do something about it.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::{ConnectError, ConnectErrorKind, jetstream};

use super::settings::Server;
use crate::handlers::Failure;
use crate::handlers::broker::Trouble;
use crate::telemetry::Chain;

/// A message that was not confirmed.
pub(super) fn of_publishing(error: &PublishError, subject: &str) -> Trouble {
    let answer = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    match (error.kind(), answer) {
        (PublishErrorKind::StreamNotFound, _) => Trouble::Refused(Failure::retry(format!(
            "no stream takes the subject `{subject}`: add it to the subjects of a stream, and see that JetStream is on \
             and `url` leads to the account that has the stream"
        ))),
        (PublishErrorKind::MaxPayloadExceeded, _) => Trouble::Refused(Failure::permanent(format!(
            "the server takes no message of this size ({}): raise its `max_payload`, and then replay this",
            cause(error)
        ))),
        (_, Some(answer)) if is_of_the_message(answer.error_code()) => Trouble::Refused(Failure::permanent(
            format!("the stream takes no such message: {answer}; raise its limit, and then replay this"),
        )),
        (_, Some(answer)) => {
            Trouble::Refused(Failure::retry(format!("the stream did not take it: {answer}")))
        }
        (_, None) => lost(Some(&cause(error))),
    }
}

/// Whether a stream would refuse the same message at any time.
fn is_of_the_message(code: ErrorCode) -> bool {
    [ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM, ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM].contains(&code)
}

/// The connection broke before a confirmation had come.
pub(super) fn lost(complaint: Option<&str>) -> Trouble {
    let why = complaint.map(|complaint| format!(": {complaint}")).unwrap_or_default();
    Trouble::Lost(Failure::retry(format!("the connection was lost before the message was confirmed{why}")))
}

/// The user may not publish there. The permissions are those of the connection: a new one has them as they are then.
pub(super) fn forbidden(subject: &str) -> Trouble {
    Trouble::Lost(Failure::retry(format!(
        "the server lets this user not publish to `{subject}`: give it the permission to"
    )))
}

/// A connection that was not made.
pub(super) fn of_connecting(error: &ConnectError, server: &Server) -> Failure {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => Failure::retry(
            format!("{server} refuses {}: correct them, or let them in there", server.credentials),
        ),
        ConnectErrorKind::TimedOut => {
            Failure::timed_out(format!("{server} does not answer: is it NATS that listens there?"))
        }
        _ => Failure::retry(format!("{server} can't be reached: {}", cause(error))),
    }
}

/// What is behind an error, or the error itself.
fn cause(error: &dyn std::error::Error) -> String {
    Chain(error.source().unwrap_or(error)).to_string()
}
