//! A trouble that lasts, in the log: when it begins, and then now and again.

use std::time::Duration;

use tokio::time::Instant;

/// How often it is told while it lasts.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// One kind of trouble. It is tried again every second or so for as long as a store is away, and a line each time would hide
/// what matters.
#[derive(Debug, Default)]
pub struct Trouble(Option<Told>);

#[derive(Debug)]
struct Told {
    at: Instant,
    left_out: u64,
}

impl Trouble {
    /// It is there, still or again. Some when that is to be told: the first time, and then once a minute at most, with the
    /// number of times that were left out since. That it works in between is no end of it: a store that comes and goes would
    /// be told each time.
    #[must_use]
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        match &mut self.0 {
            Some(told) if now.duration_since(told.at) < TELL_AGAIN => {
                told.left_out += 1;
                None
            }
            told => Some(told.replace(Told { at: now, left_out: 0 }).map_or(0, |before| before.left_out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_when_it_begins_and_then_once_a_minute_with_the_number_of_the_others() {
        let begun = Instant::now();
        let mut trouble = Trouble::default();
        let mut due = |seconds| trouble.due(begun + Duration::from_secs(seconds));
        assert_eq!(due(0), Some(0));
        assert!((1..60).all(|second| due(second).is_none()));
        assert_eq!(due(60), Some(59));
        assert_eq!((due(61), due(119)), (None, None));
        assert_eq!(due(120), Some(2));
        assert_eq!(due(7200), Some(0));
        assert_eq!(due(7201), None);
    }
}
