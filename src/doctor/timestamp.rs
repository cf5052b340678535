//! The second step: is the timestamp Unix milliseconds?

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::{Code, Finding, Outcome, Window};
use crate::podium::parse_timestamp;

/// A timestamp as far as it can be read.
pub(super) struct Timestamped {
    pub(super) outcome: Outcome,
    /// When it was signed, by whatever unit.
    pub(super) instant: Option<Timestamp>,
    /// The ways in which a sender may have written it for signing, as it was sent first.
    pub(super) spellings: Vec<Spelling>,
}

/// A timestamp as it may have been signed.
pub(super) struct Spelling {
    pub(super) unit: Unit,
    pub(super) text: String,
}

/// How a timestamp may have been signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    AsSent,
    /// As it was sent, without what is around it.
    Bare,
    Milliseconds,
    Seconds,
}

const MILLISECONDS: &str = "Podium's timestamp is Unix milliseconds, 13 digits. If this is a sender of your own, send and \
                            sign milliseconds; if not, the request is somebody else's.";

const UNCHANGED: &str = "Podium sends nothing but 13 digits. Look for what writes the header anew: a proxy's rule, or the \
                         sender.";

/// Reads a timestamp.
pub(super) fn read(text: &str, received_at: Timestamp, window: Window) -> Timestamped {
    let bare = text.trim().trim_matches(['"', '\'']).trim();
    let (outcome, instant) = match parse_timestamp(text) {
        // A number of seconds is a number of milliseconds, too, in 1970. It is one if that lies outside the window.
        Ok(instant) if window.beyond(instant, received_at).is_none() || in_a_smaller_unit(text).is_none() => {
            (Outcome::passed(format!("{text} is {instant}")), Some(instant))
        }
        _ => {
            let (finding, instant) = explain(text, bare);
            (Outcome::Failed { findings: vec![finding] }, instant)
        }
    };
    let mut spellings = vec![Spelling { unit: Unit::AsSent, text: text.to_owned() }];
    let others = [
        Some((Unit::Bare, bare.to_owned())),
        instant.map(|at| (Unit::Milliseconds, at.as_millisecond().to_string())),
        instant.map(|at| (Unit::Seconds, at.as_second().to_string())),
    ];
    for (unit, text) in others.into_iter().flatten() {
        if spellings.iter().all(|known| known.text != text) {
            spellings.push(Spelling { unit, text });
        }
    }
    Timestamped { outcome, instant, spellings }
}

/// Whether a text is a number as timestamps are.
pub(super) fn is_number(text: &str) -> bool {
    (9..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn explain(text: &str, bare: &str) -> (Finding, Option<Timestamp>) {
    if text.is_empty() {
        let finding = Finding::new(Code::TimestampEmpty, "The podium-timestamp header is empty.", UNCHANGED);
        return (finding, None);
    }
    // Numbers may be repeated, and nothing else: anything may have come into the header.
    if let Some((code, unit, instant)) = in_a_smaller_unit(bare) {
        let message = format!("The timestamp {bare} counts {unit}, not milliseconds: it is {instant}.");
        return (Finding::new(code, message, MILLISECONDS), Some(instant));
    }
    if let Ok(instant) = parse_timestamp(bare) {
        let message = "The timestamp has white space or quotes around it.";
        return (Finding::new(Code::TimestampNotBare, message, UNCHANGED), Some(instant));
    }
    if let Some(instant) = with_decimals(bare) {
        let seconds = bare.split_once('.').is_some_and(|(whole, _)| whole.len() == 10);
        let (code, message) = if seconds {
            (
                Code::TimestampInSeconds,
                format!("The timestamp counts seconds, with decimals: it is {instant}."),
            )
        } else {
            (Code::TimestampHasDecimals, "The timestamp is a number with decimals or an exponent.".to_owned())
        };
        return (Finding::new(code, message, MILLISECONDS), Some(instant));
    }
    let date = bare.parse().ok().or_else(|| rfc2822::parse(bare).ok().map(|zoned| zoned.timestamp()));
    if let Some(instant) = date {
        let message = format!("The timestamp is a date: {instant}.");
        return (Finding::new(Code::TimestampIsADate, message, MILLISECONDS), Some(instant));
    }
    let message = if is_number(bare) {
        format!("The timestamp {bare} is no time before the year 9999, by whatever unit.")
    } else {
        "The timestamp is neither a number nor a date.".to_owned()
    };
    (Finding::new(Code::TimestampMalformed, message, MILLISECONDS), None)
}

/// Reads digits that are not milliseconds: by how many there are, from 2001 to 2286.
fn in_a_smaller_unit(digits: &str) -> Option<(Code, &'static str, Timestamp)> {
    if !is_number(digits) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let (code, unit, instant) = match digits.len() {
        10 => (Code::TimestampInSeconds, "seconds", Timestamp::from_second(number)),
        16 => (Code::TimestampInMicroseconds, "microseconds", Timestamp::from_microsecond(number)),
        19 => (Code::TimestampInNanoseconds, "nanoseconds", Timestamp::from_nanosecond(number.into())),
        _ => return None,
    };
    Some((code, unit, instant.ok()?))
}

/// Reads `1620771659.663`, `1620771659663.0` and `1.620771659663E12`.
fn with_decimals(text: &str) -> Option<Timestamp> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let milliseconds = if number < 1e11 { number * 1e3 } else { number };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "from 2001 to 2286 it fits, and the rest is filtered out"
    )]
    let whole = (1e12..1e13).contains(&milliseconds).then(|| milliseconds.round() as i64)?;
    Timestamp::from_millisecond(whole).ok()
}
