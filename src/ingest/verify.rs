//! Second stage: is it from Podium, and is the signature still good?

use std::sync::Arc;

use jiff::Timestamp;

use super::receive::Received;
use super::rejection::Rejection;
use super::source::Source;
use crate::config::Verification;
use crate::model::{Arrival, EventId};
use crate::podium::{self, SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};
use crate::telemetry::metrics;

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

/// Verifies a request against those of its source's secrets that count at its time.
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
    let keys = || source.keys_at(received.at);
    let verifiable = signature.is_some() && keys().next().is_some();
    if source.allow_unsigned && !verifiable {
        return Ok(None);
    }
    let signature = signature.ok_or(Rejection::SignatureMissing)?;
    let timestamp = timestamp.ok_or(Rejection::TimestampMissing)?;
    let signature: Signature = signature.parse().map_err(|_| Rejection::SignatureMalformed)?;
    let signed_at = podium::parse_timestamp(timestamp).map_err(|_| Rejection::TimestampMalformed)?;
    let signing_keys = keys().map(|key| &key.key);
    let matched = podium::verify(signing_keys, timestamp.as_bytes(), &received.content.body, &signature)
        .and_then(|place| keys().nth(place))
        .ok_or(Rejection::SignatureMismatch)?;
    // Only now: that it is late is worth saying of a genuine request alone.
    check_window(signed_at, received.at, window)?;
    metrics::signed_before(received.at.duration_since(signed_at).as_secs_f64());
    matched.uses.note(received.at);
    Ok(Some(&matched.name))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::config::{NamedSecret, OnUnverified, SourceConfig};
    use crate::ingest::Sources;
    use crate::model::{Content, Header};

    const WINDOW: Verification =
        Verification { max_age: Duration::from_secs(3600), max_future: Duration::from_secs(60) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    /// A source whose secret `old` counts until the tenth second, besides the secret `new`.
    fn sources(allow_unsigned: bool, names: &[&str]) -> Sources {
        let secret = |name: &&str| NamedSecret {
            name: (*name).to_owned(),
            value: (*name).into(),
            not_after: (*name == "old").then(|| at(10)),
        };
        let secrets = names.iter().map(secret).collect();
        Sources::new(
            &[SourceConfig {
                name: "north".to_owned(),
                secrets,
                allow_unsigned,
                on_unverified: OnUnverified::Reject,
            }],
            at(0),
        )
    }

    /// What comes of a request that was signed with the secret `signed_by` and arrives at the moment.
    fn outcome(sources: &Sources, signed_by: &str, at: Timestamp) -> Result<Option<String>, Rejection> {
        let (timestamp, body) = (at.as_millisecond().to_string(), Bytes::from_static(b"{}"));
        let signature = podium::SigningKey::new(signed_by).sign(timestamp.as_bytes(), &body);
        let headers = [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature.to_string())]
            .map(|(name, value)| Header { name: name.to_owned(), value });
        let content = Content { headers: headers.into(), body };
        let received = Received { source: sources.get("north").unwrap(), content, at };
        verify(received, WINDOW)
            .map(|verified| verified.into_arrival().verified_by)
            .map_err(|unverified| unverified.rejection)
    }

    #[test]
    fn a_secret_counts_up_to_its_last_moment_and_no_longer() {
        let sources = sources(false, &["old", "new"]);
        let just_after = at(10) + Duration::from_micros(1);
        assert_eq!(outcome(&sources, "old", at(10)), Ok(Some("old".to_owned())));
        assert_eq!(outcome(&sources, "old", just_after), Err(Rejection::SignatureMismatch));
        // The place among the secrets that still count is not the place among all.
        assert_eq!(outcome(&sources, "new", just_after), Ok(Some("new".to_owned())));
    }

    #[test]
    fn where_every_secret_is_past_its_moment_a_signature_is_worth_as_much_as_none() {
        assert_eq!(outcome(&sources(true, &["old"]), "any", at(10)), Err(Rejection::SignatureMismatch));
        assert_eq!(outcome(&sources(true, &["old"]), "any", at(11)), Ok(None));
        assert_eq!(outcome(&sources(false, &["old"]), "old", at(11)), Err(Rejection::SignatureMismatch));
    }

    #[test]
    fn a_request_keeps_the_source_that_it_met_and_the_next_one_meets_the_new() {
        let sources = sources(false, &["old"]);
        let met = sources.get("north").unwrap();
        let new = NamedSecret { name: "new".to_owned(), value: "new".into(), not_after: None };
        sources.replace(
            &[SourceConfig {
                name: "north".to_owned(),
                secrets: vec![new],
                allow_unsigned: false,
                on_unverified: OnUnverified::Reject,
            }],
            at(1),
        );
        assert_eq!(met.keys[0].name, "old");
        assert_eq!(outcome(&sources, "old", at(1)), Err(Rejection::SignatureMismatch));
        assert_eq!(outcome(&sources, "new", at(1)), Ok(Some("new".to_owned())));
        sources.replace(&[], at(2));
        assert!(sources.get("north").is_none() && Arc::strong_count(&met) == 1);
    }
}
