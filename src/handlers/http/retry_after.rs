//! How long the other side asks to wait.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is honoured, so that a mistake over there does not stop a delivery for good.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The header of RFC 9110, section 10.2.3: seconds, or the moment until which to wait. Anything else is as good as none,
/// and so is a moment that is over.
pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // The one form of a date that may be sent today is a date of RFC 2822.
        Err(_) => {
            let until = DateTimeParser::new().parse_timestamp(text).ok()?;
            until.duration_since(now).try_into().ok()?
        }
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str) -> Option<Duration> {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        read(&HeaderMap::from_iter([(RETRY_AFTER, text.try_into().unwrap())]), now)
    }

    #[test]
    fn seconds_are_waited() {
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("0"), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_is_waited_for() {
        assert_eq!(wait("Fri, 02 Jan 2026 03:05:15 GMT"), Some(Duration::from_secs(70)));
    }

    #[test]
    fn a_date_that_is_over_asks_for_nothing() {
        assert_eq!(wait("Fri, 02 Jan 2026 03:04:00 GMT"), None);
    }

    #[test]
    fn more_than_a_day_is_a_day() {
        assert_eq!(wait("86401"), Some(LONGEST));
        assert_eq!(wait("18446744073709551615"), Some(LONGEST));
        assert_eq!(wait("Thu, 31 Dec 2099 23:59:59 GMT"), Some(LONGEST));
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        for text in ["", "soon", "-1", "1.5", "99999999999999999999", "Fri, 99 Jan 2026 03:05:15 GMT"] {
            assert_eq!(wait(text), None, "{text}");
        }
        assert_eq!(read(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
