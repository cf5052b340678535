//! Why a request is not accepted. Each variant is something else for the sender to do; Podium tries again after any of
//! them, and holds back every other event meanwhile, so there are no more than there must be.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::Problem;

/// Why a request is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    #[error("there is no source of this name")]
    UnknownSource,
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body ended before it was complete")]
    BodyIncomplete,
    #[error("the body was not complete in time")]
    BodyTooSlow,
    #[error("too many large bodies come in at once; send it again")]
    Busy,
    #[error("the podium-signature header is missing")]
    SignatureMissing,
    #[error("the podium-signature header is not 64 hexadecimal characters")]
    SignatureMalformed,
    #[error("the signature does not fit the timestamp and the body")]
    SignatureMismatch,
    #[error("the podium-timestamp header is missing")]
    TimestampMissing,
    #[error("the podium-timestamp header is not a number of milliseconds since 1970")]
    TimestampMalformed,
    #[error("the podium-timestamp lies too far in the past; it counts milliseconds since 1970")]
    TimestampTooOld,
    #[error("the podium-timestamp lies in the future; is a clock wrong?")]
    TimestampInFuture,
    #[error("the event could not be stored; send it again")]
    StoreUnavailable,
}

impl Rejection {
    /// The codes that a request to one of our sources may be rejected with.
    pub(super) const CODES: [&'static str; 12] = [
        Self::BodyTooLarge { limit: 0 }.code(),
        Self::BodyIncomplete.code(),
        Self::BodyTooSlow.code(),
        Self::Busy.code(),
        Self::SignatureMissing.code(),
        Self::SignatureMalformed.code(),
        Self::SignatureMismatch.code(),
        Self::TimestampMissing.code(),
        Self::TimestampMalformed.code(),
        Self::TimestampTooOld.code(),
        Self::TimestampInFuture.code(),
        Self::StoreUnavailable.code(),
    ];

    /// The name for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "unknown_source",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::BodyTooSlow => "body_too_slow",
            Self::Busy => "busy",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::TimestampMissing => "timestamp_missing",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampInFuture => "timestamp_in_future",
            Self::StoreUnavailable => "store_unavailable",
        }
    }

    /// Whether it may be a person's mistake in setting a secret or a clock, of a request that is signed as Podium signs. What
    /// anybody can make up without trying is not.
    pub(super) const fn may_be_ours(self) -> bool {
        matches!(self, Self::SignatureMismatch | Self::TimestampTooOld | Self::TimestampInFuture)
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::UnknownSource => StatusCode::NOT_FOUND,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::BAD_REQUEST,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = Problem::new(self.status(), self.code(), self.to_string()).into_response();
        if matches!(self, Self::Busy | Self::StoreUnavailable) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // Not all of the body may have been read, and then nothing else can be read from this connection.
        if matches!(self, Self::BodyTooLarge { .. } | Self::BodyTooSlow | Self::Busy) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn alert_rules_ask_for_codes_that_there_are() {
        let rules = include_str!("../../deploy/prometheus/alerts.yaml");
        let asked: BTreeSet<&str> = rules
            .split("code=")
            .skip(1)
            .flat_map(|rest| rest.trim_start_matches('~').trim_start_matches('"').split('"').next())
            .flat_map(|codes| codes.split('|'))
            .collect();
        assert!(asked.len() > 3, "only {asked:?}: is this still the file?");
        let known = Rejection::CODES.into_iter().chain([Rejection::UnknownSource.code()]).collect();
        assert!(asked.is_subset(&known), "{:?}", asked.difference(&known));
    }
}
