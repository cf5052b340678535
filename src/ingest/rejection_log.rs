//! Rejections in the log: each at once, and a flood of them in a few lines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How often the same is told.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// What the log was told last. Its memory is bounded: it knows codes, and sources that are configured.
#[derive(Debug, Default)]
pub(super) struct RejectionLog(Mutex<HashMap<Kind, Told>>);

/// A source, when it is one of ours, and a code.
type Kind = (Option<String>, &'static str);

#[derive(Debug)]
struct Told {
    at: Timestamp,
    left_out: u64,
}

impl RejectionLog {
    /// Tells of a rejection, unless one of its kind was told just now. Whoever floods us with requests must not flood the
    /// log, which would hide what matters and fill the disk.
    pub(super) fn tell(&self, source: Option<&str>, code: &'static str, now: Timestamp) {
        if let Some(left_out) = self.due(source, code, now) {
            // A line for each is the rule; that some were left out is worth a word only when it is so.
            let left_out = (left_out > 0).then_some(left_out);
            tracing::warn!(source, code, left_out, "a request was not accepted");
        }
    }

    /// How many of this kind were left out before this one, when this one is to be told.
    fn due(&self, source: Option<&str>, code: &'static str, now: Timestamp) -> Option<u64> {
        // Nothing panics under the lock; if it did, the worst would be a line more.
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = (source.map(str::to_owned), code);
        let Some(told) = kinds.get_mut(&kind) else {
            kinds.insert(kind, Told { at: now, left_out: 0 });
            return Some(0);
        };
        // A clock may be set back; then nothing would be told for as long.
        if (SignedDuration::ZERO..TELL_AGAIN).contains(&now.duration_since(told.at)) {
            told.left_out += 1;
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn the_first_of_a_kind_is_told_at_once_and_then_one_in_ten_seconds_with_the_number_of_the_others() {
        let log = RejectionLog::default();
        let due = |milliseconds| log.due(Some("default"), "signature_mismatch", at(milliseconds));
        assert_eq!(due(0), Some(0));
        assert_eq!((due(1), due(5_000), due(9_999)), (None, None, None));
        assert_eq!(due(10_000), Some(3));
        assert_eq!(due(19_999), None);
        assert_eq!(due(60_000), Some(1));
        assert_eq!(due(120_000), Some(0));
    }

    #[test]
    fn one_kind_does_not_hide_another() {
        let log = RejectionLog::default();
        for source in [None, Some("north"), Some("south")] {
            for code in ["signature_mismatch", "store_unavailable"] {
                assert_eq!(log.due(source, code, at(0)), Some(0));
                assert_eq!(log.due(source, code, at(1)), None);
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nothing() {
        let log = RejectionLog::default();
        assert_eq!(log.due(None, "unknown_source", at(100_000)), Some(0));
        assert_eq!(log.due(None, "unknown_source", at(0)), Some(0));
    }
}
