//! Podium's times: ISO 8601, always UTC.

use std::borrow::Cow;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::de::{Deserialize, Deserializer, Error, Unexpected};

/// What [`optional`] says it expected.
pub(super) const EXPECTED: &str = "an ISO 8601 time";

/// Reads a time. One without an offset is UTC, because Podium documents that all of them are.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let with_offset = text.parse().ok();
    with_offset
        .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp()))
}

/// Reads a time or null. The error doesn't repeat the text, as jiff's own would.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<Cow<'de, str>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    match parse(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(D::Error::invalid_value(Unexpected::Other("text"), &EXPECTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_or_without_saying_so() {
        let expected = "2026-03-14T15:09:26.535897Z".parse().ok();
        assert_eq!(parse("2026-03-14T15:09:26.535897Z"), expected);
        assert_eq!(parse("2026-03-14T15:09:26.535897"), expected);
        assert_eq!(parse("2026-03-14T08:09:26.535897-07:00"), expected);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "yesterday", "1620771659663", "2026-13-01T00:00:00Z", "2026-03-14T25:00:00"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
