//! How much is taken up at a time: as many queues as can run side by side with a few deliveries each or, where calls are
//! over in a moment, more of both. Each turn costs the store the same few statements whether it brings one delivery or a
//! thousand.

use std::time::Duration;

/// So much work is taken up ahead of what is running. It is short, so that another process finds work, too.
const AHEAD: Duration = Duration::from_millis(50);

/// No more queues than this wait to be run.
const QUEUES: u32 = 128;

/// How many deliveries of a queue are taken at a time, and how many where calls are over in a moment.
const EACH: (u32, u32) = (8, 32);

/// No more than this of bodies waits to be run, as far as can be told from those that came before. Once there is more, nothing
/// is taken up ahead.
const BYTES: u32 = 4 * 1024 * 1024;

/// How much of an average a new value makes.
const WEIGHT: f64 = 0.05;

/// What the deliveries of late were like.
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
    /// Takes note of a run: how long it took for how many calls, and how much of bodies it had in memory for how many
    /// deliveries.
    pub(super) fn note(&mut self, took: Duration, calls: usize, bytes: usize, deliveries: usize) {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 of either")]
        let per = |amount: f64, number: usize| amount / number.max(1) as f64;
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 bytes of bodies")]
        let (seconds, bytes) = (per(took.as_secs_f64(), calls), per(bytes as f64, deliveries));
        let averages = self.averages.get_or_insert(Averages { seconds, bytes });
        averages.seconds += (seconds - averages.seconds) * WEIGHT;
        averages.bytes += (bytes - averages.bytes) * WEIGHT;
    }

    /// How many deliveries of a queue there may be, where so many queues may run side by side.
    pub(super) fn deliveries_each(&self, concurrency: u32) -> u32 {
        let Some(Averages { seconds, bytes }) = &self.averages else { return EACH.0 };
        let in_time = whole(AHEAD.as_secs_f64() / seconds.max(1e-6)).clamp(EACH.0, EACH.1);
        let in_memory = whole(f64::from(BYTES) / (bytes.max(1.0) * f64::from(concurrency)));
        in_time.min(in_memory.max(1))
    }

    /// How many queues there may be, those included that are running, where those that there are have so much of bodies.
    pub(super) fn queues(&self, concurrency: u32, in_hand: usize) -> u32 {
        let Some(Averages { seconds, bytes }) = &self.averages else { return concurrency };
        if in_hand > BYTES as usize {
            return concurrency;
        }
        let each = f64::from(self.deliveries_each(concurrency));
        let in_time = f64::from(concurrency) * AHEAD.as_secs_f64() / (seconds * each).max(1e-6);
        let in_memory = f64::from(BYTES) / (bytes.max(1.0) * each);
        concurrency.max(whole(in_time.min(in_memory)).min(QUEUES))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast stops at either end")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(took: Duration, bytes: usize) -> Ahead {
        let mut ahead = Ahead::default();
        (0..1000).for_each(|_| ahead.note(took * 4, 4, bytes * 8, 8));
        ahead
    }

    #[test]
    fn nothing_is_taken_up_ahead_of_calls_that_take_their_time() {
        assert_eq!((Ahead::default().queues(8, 0), Ahead::default().deliveries_each(8)), (8, 8));
        let slow = after(Duration::from_millis(100), 1000);
        assert_eq!((slow.queues(8, 0), slow.deliveries_each(8)), (8, 8));
        let quicker = after(Duration::from_millis(1), 1000);
        assert_eq!((quicker.queues(8, 0), quicker.deliveries_each(8)), (12, 32));
    }

    #[test]
    fn quick_calls_get_much_and_no_more_bodies_than_fit() {
        let quick = |bytes| after(Duration::from_micros(1), bytes);
        assert_eq!((quick(500).queues(8, 0), quick(500).deliveries_each(8)), (QUEUES, 32));
        assert_eq!((quick(1000).queues(1000, 0), quick(1000).deliveries_each(1000)), (1000, 4));
        assert_eq!((quick(100 * 1024).queues(8, 0), quick(100 * 1024).deliveries_each(8)), (8, 5));
        assert_eq!(quick(500).queues(8, BYTES as usize), QUEUES);
        assert_eq!(quick(500).queues(8, BYTES as usize + 1), 8, "they turned out larger than those before");
        assert_eq!((quick(1024 * 1024).queues(8, 0), quick(1024 * 1024).deliveries_each(8)), (8, 1));
    }

    #[test]
    fn a_handler_that_gets_slow_soon_has_no_more_than_it_can_run() {
        let mut ahead = after(Duration::from_micros(1), 1000);
        (0..8).for_each(|_| ahead.note(Duration::from_secs(1), 1, 1000, 1));
        assert_eq!((ahead.queues(8, 0), ahead.deliveries_each(8)), (8, 8));
    }
}
