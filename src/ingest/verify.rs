//! Second stage: is it from Podium, and is the signature still good?

use std::sync::Arc;

use jiff::Timestamp;

use super::receive::Received;
use super::rejection::Rejection;
use super::source::Source;
use crate::config::Verification;
use crate::model::{Arrival, EventId};
use crate::podium::{self, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};

/// A request that Podium signed, or that came to a source which asks for no signature.
pub(super) struct Verified(Arrival);

impl Verified {
    /// What is known to be genuine.
    pub(super) fn into_arrival(self) -> Arrival {
        self.0
    }

    /// The same as if it arrived at `at`: one that was kept back begins its life as an event when it is let through.
    pub(super) fn arriving_at(mut self, at: Timestamp) -> Self {
        self.0.id = EventId::at(at);
        self.0.received_at = at;
        self
    }

    fn by(secret: Option<&str>, received: Received) -> Self {
        Self(Arrival {
            id: EventId::at(received.at),
            source: received.source.name.clone(),
            received_at: received.at,
            verified_by: secret.map(str::to_owned),
            content: received.content,
        })
    }
}

/// A request that failed verification, and why.
pub(super) struct Unverified {
    pub(super) received: Received,
    pub(super) rejection: Rejection,
}

/// Verifies a request against its source's secrets.
pub(super) fn verify(received: Received, window: Verification) -> Result<Verified, Unverified> {
    let source = Arc::clone(&received.source);
    match fitting_secret(&source, &received, window) {
        Ok(secret) => Ok(Verified::by(secret, received)),
        Err(rejection) => Err(Unverified { received, rejection }),
    }
}

/// The name of the secret that the request was signed with; none where it need not be signed.
fn fitting_secret<'s>(
    source: &'s Source,
    received: &Received,
    window: Verification,
) -> Result<Option<&'s str>, Rejection> {
    let timestamp = received.content.header(TIMESTAMP_HEADER);
    let signature = received.content.header(SIGNATURE_HEADER);
    // Where nothing can be verified a signature is worth as much as none: Podium may already sign with a secret that is
    // not configured here yet.
    let verifiable = signature.is_some() && !source.keys.is_empty();
    if source.allow_unsigned && !verifiable {
        return Ok(None);
    }
    let signature = signature.ok_or(Rejection::SignatureMissing)?;
    let timestamp = timestamp.ok_or(Rejection::TimestampMissing)?;
    let signature: Signature = signature.parse().map_err(|_| Rejection::SignatureMalformed)?;
    let signed_at = podium::parse_timestamp(timestamp).map_err(|_| Rejection::TimestampMalformed)?;
    let keys = source.keys.iter().map(|source_key| &source_key.key);
    let matched = podium::verify(keys, timestamp.as_bytes(), &received.content.body, &signature)
        .ok_or(Rejection::SignatureMismatch)?;
    // Only now: that it is late is worth saying of a genuine request alone.
    check_window(signed_at, received.at, window)?;
    Ok(source.keys.get(matched).map(|key| key.name.as_str()))
}

fn check_window(signed_at: Timestamp, now: Timestamp, window: Verification) -> Result<(), Rejection> {
    let age = now.duration_since(signed_at);
    if age > jiff::SignedDuration::try_from(window.max_age).unwrap_or(jiff::SignedDuration::MAX) {
        return Err(Rejection::TimestampTooOld);
    }
    if -age > jiff::SignedDuration::try_from(window.max_future).unwrap_or(jiff::SignedDuration::MAX) {
        return Err(Rejection::TimestampInFuture);
    }
    Ok(())
}
