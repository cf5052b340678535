//! From what is written to what it means: addresses, durations, sizes, numbers, names. An error ends the sentence
//! "`key` is … in …, but".

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::mistake::{listed, nearest};
use super::written::Written;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest duration that is taken: far beyond any use, and near enough that sums with it stay dates.
pub(super) const TEN_YEARS: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

pub(super) fn address(written: &Written) -> Result<SocketAddr, &'static str> {
    written
        .text()
        .and_then(|text| text.trim().parse().ok())
        .ok_or("must be an IP address and a port, such as \"127.0.0.1:8080\"")
}

pub(super) fn text(written: &Written) -> Result<String, &'static str> {
    match written.text() {
        Some("") => Err("must not be empty"),
        Some(text) => Ok(text.to_owned()),
        None => Err("must be a text in quotes"),
    }
}

/// A folder, which need not be there yet.
pub(super) fn folder(written: &Written) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text(written)?);
    if path.is_file() { Err("that is a file, not a folder") } else { Ok(path) }
}

/// A folder that need not be named.
pub(super) fn maybe_folder(written: &Written) -> Result<Option<PathBuf>, &'static str> {
    let path = written.text().ok_or("must be a path in quotes")?;
    Ok((!path.is_empty()).then(|| PathBuf::from(path)))
}

pub(super) fn boolean(written: &Written) -> Result<bool, &'static str> {
    written.boolean().ok_or("must be true or false")
}

/// A moment, if one is set.
pub(super) fn moment(written: &Written) -> Result<Option<Timestamp>, &'static str> {
    const EXPECTED: &str =
        "must be a moment with its offset from UTC in quotes, such as \"2027-01-31T00:00:00Z\"";
    match written.text().ok_or(EXPECTED)? {
        "" => Ok(None),
        text => text.trim().parse().map(Some).map_err(|_| EXPECTED),
    }
}

/// A whole number within `range`.
pub(super) fn number(range: RangeInclusive<u32>) -> impl Fn(&Written) -> Result<u32, String> {
    move |written| {
        let number = written.integer().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            if *most == u32::MAX {
                format!("must be a whole number from {least}")
            } else {
                format!("must be a whole number from {least} to {most}")
            }
        })
    }
}

/// A duration within `range`.
pub(super) fn duration(range: RangeInclusive<Duration>) -> impl Fn(&Written) -> Result<Duration, String> {
    move |written| {
        let duration = written.text().and_then(parse_duration);
        let duration =
            duration.ok_or("must be a duration in quotes, such as \"500ms\", \"1h 30m\" or \"11d\"")?;
        if range.contains(&duration) {
            return Ok(duration);
        }
        let (least, most) = (friendly(*range.start()), friendly(*range.end()));
        Err(format!("must be from \"{least}\" to \"{most}\""))
    }
}

/// Reads `1h 30m` and its like, in which a day has 24 hours. Months and years have no fixed length: they are none.
fn parse_duration(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

fn friendly(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if duration >= DAY && seconds.is_multiple_of(DAY.as_secs()) {
        return format!("{}d", seconds / DAY.as_secs());
    }
    format!("{:#}", SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
}

/// A number of bytes.
pub(super) fn size(range: RangeInclusive<ByteSize>) -> impl Fn(&Written) -> Result<usize, String> {
    move |written| {
        let size = match (written.text(), written.integer()) {
            (_, Some(bytes)) => u64::try_from(bytes).ok().map(ByteSize),
            (Some(text), None) => text.parse().ok(),
            (None, None) => None,
        };
        let size = size.ok_or("must be a size, such as \"512KiB\" or \"1MiB\"")?;
        let fits = range.contains(&size).then(|| usize::try_from(size.as_u64()).ok()).flatten();
        fits.ok_or_else(|| {
            let [least, most] = [range.start(), range.end()].map(|size| in_units(*size));
            format!("must be from \"{least}\" to \"{most}\"")
        })
    }
}

/// A size in the largest unit that it is a whole number of.
fn in_units(size: ByteSize) -> String {
    let units =
        [(bytesize::TIB, "TiB"), (bytesize::GIB, "GiB"), (bytesize::MIB, "MiB"), (bytesize::KIB, "KiB")];
    let fitting = units.into_iter().find(|(unit, _)| size.as_u64().is_multiple_of(*unit));
    fitting.map_or_else(
        || format!("{}B", size.as_u64()),
        |(unit, name)| format!("{}{name}", size.as_u64() / unit),
    )
}

/// One of a few words.
pub(super) fn choice<T: Copy>(choices: &[(&str, T)]) -> impl Fn(&Written) -> Result<T, String> {
    move |written| {
        let found = written.text().and_then(|text| choices.iter().find(|(word, _)| *word == text));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let near = written.text().and_then(|text| nearest(text, words.iter().copied()));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("must be {}{hint}", listed(&words, "or"))
        })
    }
}

/// A name that fits into a URL and a file name.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// What [`is_name`] asks for.
pub(super) const A_NAME: &str = "a name has 1 to 64 lower-case letters, digits, `-` and `_`";
