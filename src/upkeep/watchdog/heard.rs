//! When a source was last heard of, and how long it usually is not.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{State, Watched};
use crate::model::SecretUse;

/// Shorter pauses than this tell nothing.
const PAUSE: i64 = 60;

/// For how long pauses are remembered, and how many: quiet days come every week.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const PAUSES: usize = 256;

/// A source is not called silent before it has been watched for so long, nor after less than this.
const LEARNING: Duration = Duration::from_secs(3 * 24 * 60 * 60);
const LEAST: Duration = Duration::from_secs(60 * 60);

/// How long ago it was.
pub(super) fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

/// Takes down what was heard of a source.
pub(super) fn listen(watched: &mut Watched, source: &str, uses: &[SecretUse], now: Timestamp) {
    watched.since.get_or_insert(now);
    let last = uses.iter().filter(|used| used.source == source).filter_map(|used| used.last_used_at).max();
    let Some(last) = last else { return };
    match watched.heard_at {
        Some(before) if last > before => {
            let pause = last.duration_since(before).as_secs();
            // What was called silence is not what is usual.
            if pause >= PAUSE && watched.silent_since.is_none() {
                watched.pauses.push((last, pause));
            }
            watched.heard_at = Some(last);
        }
        Some(_) => {}
        None => watched.heard_at = Some(last),
    }
    watched.pauses.retain(|(ended, _)| since(*ended, now) <= REMEMBERED);
    // The shortest tell least.
    while watched.pauses.len() > PAUSES {
        let shortest = (0..watched.pauses.len()).min_by_key(|at| watched.pauses[*at].1).unwrap_or(0);
        watched.pauses.remove(shortest);
    }
}

/// Nobody was here: the pause until now tells nothing of the sources.
pub(super) fn forget_pauses(state: &mut State) {
    for watched in state.sources.values_mut() {
        watched.heard_at = None;
        watched.silent_since = None;
    }
}

/// After how long it is called silent: `configured`, or twice the longest pause of the last two weeks. None while it is not
/// known what is usual.
pub(super) fn limit(watched: &Watched, configured: Option<Duration>, now: Timestamp) -> Option<Duration> {
    if configured.is_some() {
        return configured;
    }
    let known = watched.since.is_some_and(|at| since(at, now) >= LEARNING);
    let longest = watched.pauses.iter().map(|(_, pause)| *pause).max().unwrap_or(0);
    let longest = Duration::from_secs(u64::try_from(longest).unwrap_or(0));
    known.then(|| (longest * 2).max(LEAST))
}
