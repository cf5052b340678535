//! Durations, as a person writes them.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads how long something is, such as `12h` or `90d`; a day has 24 hours. None when it is not written so.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_in_units_that_are_always_as_long() {
        assert_eq!(duration("12h"), Some(SignedDuration::from_hours(12)));
        assert_eq!(duration("90d"), Some(SignedDuration::from_hours(90 * 24)));
        assert_eq!(duration("1h 30m"), Some(SignedDuration::from_mins(90)));
        for text in ["", "12", "soon", "3mo", "1y"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
