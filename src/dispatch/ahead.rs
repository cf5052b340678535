//! How many queues are taken up at a time: as many as can run side by side or, where calls are over in a moment, a few
//! more. Each turn costs the store the same few statements whether it brings one queue or a hundred.

use std::time::Duration;

/// So much work is taken up ahead of what is running. It is short, so that another process finds work, too.
const AHEAD: Duration = Duration::from_millis(50);

/// No more queues than this wait to be run.
const QUEUES: u32 = 128;

/// No more than this of bodies waits to be run, as far as can be told from those that came before.
const BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// How much of an average a new value makes.
const WEIGHT: f64 = 0.05;

/// What the runs of late were like.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    averages: Option<Averages>,
}

#[derive(Debug)]
struct Averages {
    seconds: f64,
    bytes: f64,
}

impl Ahead {
    /// Takes note of a run: how long it took, and how much of bodies it had in memory.
    pub(super) fn note(&mut self, took: Duration, bytes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 bytes of bodies")]
        let (seconds, bytes) = (took.as_secs_f64(), bytes as f64);
        let averages = self.averages.get_or_insert(Averages { seconds, bytes });
        averages.seconds += (seconds - averages.seconds) * WEIGHT;
        averages.bytes += (bytes - averages.bytes) * WEIGHT;
    }

    /// How many queues there may be, those included that are running, where so many may run side by side.
    pub(super) fn queues(&self, concurrency: u32) -> u32 {
        let Some(Averages { seconds, bytes }) = &self.averages else { return concurrency };
        let in_time = f64::from(concurrency) * AHEAD.as_secs_f64() / seconds.max(1e-6);
        let in_memory = BYTES / bytes.max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 128"
        )]
        let waiting = in_time.min(in_memory).min(f64::from(QUEUES)) as u32;
        concurrency.max(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(took: Duration, bytes: usize) -> Ahead {
        let mut ahead = Ahead::default();
        (0..1000).for_each(|_| ahead.note(took, bytes));
        ahead
    }

    #[test]
    fn nothing_is_taken_up_ahead_of_calls_that_take_their_time() {
        assert_eq!(Ahead::default().queues(8), 8);
        assert_eq!(after(Duration::from_millis(100), 1000).queues(8), 8);
        assert_eq!(after(Duration::from_millis(10), 1000).queues(8), 40);
    }

    #[test]
    fn quick_calls_get_many_queues_and_no_more_bodies_than_fit() {
        assert_eq!(after(Duration::from_micros(1), 1000).queues(8), QUEUES);
        assert_eq!(after(Duration::from_micros(1), 1024 * 1024).queues(2), 4);
        assert_eq!(after(Duration::from_micros(1), 1024 * 1024).queues(8), 8);
        assert_eq!(after(Duration::from_micros(1), 1000).queues(1000), 1000);
    }

    #[test]
    fn a_handler_that_gets_slow_soon_has_no_more_than_it_can_run() {
        let mut ahead = after(Duration::from_micros(1), 1000);
        (0..8).for_each(|_| ahead.note(Duration::from_secs(1), 1000));
        assert_eq!(ahead.queues(8), 8);
    }
}
