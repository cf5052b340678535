//! Second stage: is it from Podium, and is the signature still good?

use jiff::Timestamp;

use super::receive::Received;
use super::rejection::Rejection;
use crate::config::Verification;
use crate::podium::{self, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};

/// A request that Podium signed, or that came to a source which asks for no signature.
pub(super) struct Verified {
    pub(super) received: Received,
    /// The name of the secret that fits; none when the request is not signed.
    pub(super) verified_by: Option<String>,
}

/// Verifies a request against its source's secrets.
pub(super) fn verify(received: Received, window: Verification) -> Result<Verified, Rejection> {
    let timestamp = received.headers.get(TIMESTAMP_HEADER);
    let signature = received.headers.get(SIGNATURE_HEADER);
    // Where nothing can be verified a signature is worth as much as none: Podium may already sign with a secret that is
    // not configured here yet.
    let verifiable = signature.is_some() && !received.source.keys.is_empty();
    if received.source.allow_unsigned && !verifiable {
        return Ok(Verified { received, verified_by: None });
    }
    let signature = signature.ok_or(Rejection::SignatureMissing)?;
    let timestamp = timestamp.ok_or(Rejection::TimestampMissing)?;
    let signature: Signature =
        signature.to_str().ok().and_then(|text| text.parse().ok()).ok_or(Rejection::SignatureMalformed)?;
    let signed_at = timestamp
        .to_str()
        .ok()
        .and_then(|text| podium::parse_timestamp(text).ok())
        .ok_or(Rejection::TimestampMalformed)?;
    let keys = received.source.keys.iter().map(|source_key| &source_key.key);
    let matched = podium::verify(keys, timestamp.as_bytes(), &received.body, &signature)
        .ok_or(Rejection::SignatureMismatch)?;
    // Only now: that it is late is worth saying of a genuine request alone.
    check_window(signed_at, received.at, window)?;
    let verified_by = received.source.keys.get(matched).map(|key| key.name.clone());
    Ok(Verified { received, verified_by })
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
