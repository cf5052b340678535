//! What the public listener answers: the same rules in the same order as at the door, and no reasons.

use serde::Serialize;

use super::window::Beyond;
use super::{Examined, Rules};
use crate::podium::{SIGNATURE_HEADER, Signature, SigningKey, TIMESTAMP_HEADER, parse_timestamp, verify};

/// What the public listener answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 200.
    Accepted,
    /// 401: the signature's header is missing.
    SignatureMissing,
    /// 401: the timestamp's header is missing.
    TimestampMissing,
    /// 401: the signature is not 64 hexadecimal characters.
    SignatureMalformed,
    /// 401: the timestamp is not a number of milliseconds.
    TimestampMalformed,
    /// 401: no secret of the source gives this signature.
    SignatureMismatch,
    /// 401: rightly signed, but too long ago.
    TimestampTooOld,
    /// 401: rightly signed, but for later.
    TimestampInFuture,
}

impl Answer {
    /// The code in the answer; `accepted` when it is 200.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::SignatureMissing => "signature_missing",
            Self::TimestampMissing => "timestamp_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::TimestampMalformed => "timestamp_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampInFuture => "timestamp_in_future",
        }
    }
}

/// The answer, and the place of the secret that verifies the request.
pub(super) fn of(request: &Examined<'_>, rules: &Rules<'_>) -> (Answer, Option<usize>) {
    match verified(request, rules) {
        Ok(verifier) => (Answer::Accepted, verifier),
        Err(answer) => (answer, None),
    }
}

fn verified(request: &Examined<'_>, rules: &Rules<'_>) -> Result<Option<usize>, Answer> {
    use secrecy::ExposeSecret as _;

    let good = rules.secrets.iter().enumerate().filter(|(_, secret)| secret.is_good_for(rules.source));
    let (places, keys): (Vec<usize>, Vec<SigningKey>) =
        good.map(|(place, secret)| (place, SigningKey::new(secret.value.expose_secret()))).unzip();
    let signature = value(request, SIGNATURE_HEADER);
    if rules.allow_unsigned && (signature.is_none() || keys.is_empty()) {
        return Ok(None);
    }
    let signature = signature.ok_or(Answer::SignatureMissing)?;
    let timestamp = value(request, TIMESTAMP_HEADER).ok_or(Answer::TimestampMissing)?;
    let signature: Signature = signature.parse().map_err(|_| Answer::SignatureMalformed)?;
    let signed_at = parse_timestamp(timestamp).map_err(|_| Answer::TimestampMalformed)?;
    let fits =
        verify(&keys, timestamp.as_bytes(), request.body, &signature).ok_or(Answer::SignatureMismatch)?;
    match rules.window.beyond(signed_at, request.received_at) {
        None => Ok(Some(places[fits])),
        Some(Beyond::TooOld(_)) => Err(Answer::TimestampTooOld),
        Some(Beyond::InFuture(_)) => Err(Answer::TimestampInFuture),
    }
}

fn value<'a>(request: &Examined<'a>, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}
