//! The fifth step: is the timestamp neither too old nor in the future?

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Code, Finding, Outcome};

/// Which signatures are still good.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How old a signature may be.
    pub max_age: Duration,
    /// How far in the future a signature may lie, for clocks that differ.
    pub max_future: Duration,
}

/// On which side a timestamp lies outside the window, and how far from the moment of receipt.
pub(super) enum Beyond {
    TooOld(SignedDuration),
    InFuture(SignedDuration),
}

impl Window {
    pub(super) fn beyond(&self, signed_at: Timestamp, received_at: Timestamp) -> Option<Beyond> {
        let limit = |limit| SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        let age = received_at.duration_since(signed_at);
        if age > limit(self.max_age) {
            return Some(Beyond::TooOld(age));
        }
        (-age > limit(self.max_future)).then_some(Beyond::InFuture(-age))
    }

    pub(super) fn check(&self, signed_at: Timestamp, received_at: Timestamp) -> Outcome {
        let instants = format!("signed at {signed_at}, received at {received_at}");
        match self.beyond(signed_at, received_at) {
            None => Outcome::passed(instants),
            Some(Beyond::TooOld(age)) => Outcome::Failed { findings: vec![self.too_old(age, &instants)] },
            Some(Beyond::InFuture(lead)) => {
                Outcome::Failed { findings: vec![self.in_future(lead, &instants)] }
            }
        }
    }

    fn too_old(&self, age: SignedDuration, instants: &str) -> Finding {
        Finding::new(
            Code::TimestampTooOld,
            format!(
                "The request is {} old, and {} is the limit: {instants}.",
                words(age.unsigned_abs()),
                words(self.max_age)
            ),
            "Podium may sign a retry with its first timestamp: if this is one that waited in its queue, raise \
             `verification.max_age`. A sender of your own must sign each request anew, with the time of sending. Look at \
             this machine's clock too: it may be ahead.",
        )
    }

    fn in_future(&self, lead: SignedDuration, instants: &str) -> Finding {
        let mut advice =
            "One of the two clocks is wrong. Podium's is right: set this machine's by NTP. If it is \
                          right, the sender's is not."
                .to_owned();
        if looks_like_a_time_zone(lead) {
            advice.push_str(" The difference is that of a time zone: a clock may tell local time as UTC.");
        }
        Finding::new(
            Code::TimestampInFuture,
            format!(
                "The timestamp lies {} in the future, and {} is the limit: {instants}.",
                words(lead.unsigned_abs()),
                words(self.max_future)
            ),
            advice,
        )
    }
}

/// Whole half hours up to 14 hours, give or take two minutes.
fn looks_like_a_time_zone(difference: SignedDuration) -> bool {
    let minutes = difference.as_secs() / 60;
    let to_half_hour = (minutes % 30).min(30 - minutes % 30);
    (28..=14 * 60 + 2).contains(&minutes) && to_half_hour <= 2
}

/// A duration in its two largest units.
fn words(duration: Duration) -> String {
    const UNITS: [(u64, &str); 5] =
        [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    for (seconds, unit) in UNITS {
        let count = rest / seconds;
        rest %= seconds;
        if count > 0 {
            parts.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { format!("{} milliseconds", duration.as_millis()) } else { parts.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (1, "1 second"),
            (61, "1 minute and 1 second"),
            (11 * 86_400, "11 days"),
            (400 * 86_400 + 7, "1 year and 35 days"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), told);
        }
        assert_eq!(words(Duration::from_millis(20)), "20 milliseconds");
    }

    #[test]
    fn the_difference_of_a_time_zone_is_known_as_one() {
        for (minutes, is_one) in
            [(5, false), (30, true), (61, true), (75, false), (330, true), (24 * 60, false)]
        {
            assert_eq!(looks_like_a_time_zone(SignedDuration::from_mins(minutes)), is_one, "{minutes}");
        }
    }
}
