//! Whose turn it is on a connection, and until when.
//!
//! A connection is held either by us, who work on a request, or by the other side, who has to say or to take something. Only
//! the other side's turn has an end here, and only then may a connection be closed for the sake of another one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;

/// The turn on one connection.
#[derive(Debug)]
pub(super) struct Turn {
    limits: Limits,
    state: Mutex<State>,
    hurried: Notify,
}

#[derive(Debug)]
struct State {
    part: Part,
    /// When this part began.
    since: Instant,
    /// When it must have ended.
    until: Option<Instant>,
    /// When some more of an answer must have been taken, while it can't be sent.
    take_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Theirs: nothing of the next request has come.
    Rest,
    /// Theirs: the headers are not complete.
    Headers,
    /// Theirs: somebody waits for the body, and bounds that time, to be able to answer.
    Body,
    /// Ours: the whole request is here.
    Work,
}

impl Turn {
    /// The turn on a connection that was taken at `now`. Who connects is expected to speak.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let state =
            State { part: Part::Headers, since: now, until: Some(now + limits.headers), take_until: None };
        Self { limits, state: Mutex::new(state), hurried: Notify::new() }
    }

    /// Some bytes came.
    pub(super) fn heard(&self, now: Instant) {
        let mut state = self.state();
        // `since` stays: a first byte makes nobody more useful than before.
        if state.part == Part::Rest {
            (state.part, state.until) = (Part::Headers, Some(now + self.limits.headers));
        }
    }

    /// The headers of a request are complete.
    pub(super) fn asked(&self, now: Instant) {
        self.state().begin(Part::Body, now, None);
    }

    /// The body was read, or nobody wants it any more.
    pub(super) fn read(&self, now: Instant) {
        let mut state = self.state();
        if state.part == Part::Body {
            state.begin(Part::Work, now, None);
        }
    }

    /// The answer is ready to be sent.
    pub(super) fn answered(&self, now: Instant) {
        self.state().begin(Part::Rest, now, Some(now + self.limits.rest));
    }

    /// Nothing can be sent at the moment: the other side takes nothing.
    pub(super) fn stalled(&self, now: Instant) {
        self.state().take_until.get_or_insert(now + self.limits.answer);
    }

    /// Something was sent.
    pub(super) fn sent(&self, now: Instant) {
        let mut state = self.state();
        state.take_until = None;
        // The rest begins after the last byte of the answer.
        if state.part == Part::Rest {
            state.until = Some(now + self.limits.rest);
        }
    }

    /// Since when the other side has had its turn; nothing when it is ours.
    pub(super) fn theirs_since(&self) -> Option<Instant> {
        let state = self.state();
        state.is_theirs().then_some(state.since)
    }

    /// Ends the other side's turn at once. When it is ours meanwhile, nothing happens.
    pub(super) fn hurry(&self, now: Instant) {
        let mut state = self.state();
        if state.is_theirs() {
            // What completes the request just now still saves it: that sets another end.
            let end = if state.part == Part::Work { &mut state.take_until } else { &mut state.until };
            *end = Some(now);
            self.hurried.notify_one();
        }
    }

    /// Ends when the other side's time is up.
    pub(super) async fn over(&self) {
        loop {
            let (now, deadline) = (Instant::now(), self.state().deadline());
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            // Turns change while this sleeps. As no new end is nearer than the shortest limit, it is enough to look that
            // often, and a request costs no timer.
            let look_again = now + self.limits.shortest();
            tokio::select! {
                () = sleep_until(deadline.map_or(look_again, |deadline| deadline.min(look_again))) => {}
                () = self.hurried.notified() => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock; if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn begin(&mut self, part: Part, now: Instant, until: Option<Instant>) {
        (self.part, self.since, self.until) = (part, now, until);
    }

    fn is_theirs(&self) -> bool {
        self.part != Part::Work || self.take_until.is_some()
    }

    fn deadline(&self) -> Option<Instant> {
        self.until.into_iter().chain(self.take_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Limits = Limits::with_connections(1);

    /// A new turn, and the time of its beginning.
    fn turn() -> (Turn, Instant) {
        let now = Instant::now();
        (Turn::new(LIMITS, now), now)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    impl Turn {
        fn ends(&self) -> Option<Instant> {
            self.state().deadline()
        }

        /// One request from its first byte to its answer, all at once.
        fn exchange(&self, now: Instant) {
            self.heard(now);
            self.asked(now);
            self.read(now);
            self.answered(now);
            self.sent(now);
        }
    }

    #[test]
    fn a_new_connection_has_ten_seconds_for_all_of_its_headers() {
        let (turn, start) = turn();
        assert_eq!(turn.ends(), Some(start + seconds(10)));
        for second in 1..9 {
            turn.heard(start + seconds(second));
        }
        assert_eq!(turn.ends(), Some(start + seconds(10)));
    }

    #[test]
    fn a_kept_connection_may_rest_and_has_ten_seconds_from_the_first_byte() {
        let (turn, start) = turn();
        turn.exchange(start + seconds(5));
        assert_eq!(turn.ends(), Some(start + seconds(5 + 125)));
        turn.heard(start + seconds(100));
        turn.heard(start + seconds(109));
        assert_eq!(turn.ends(), Some(start + seconds(110)));
    }

    #[test]
    fn our_own_work_is_bounded_elsewhere_and_never_cut_off_here() {
        let (turn, start) = turn();
        turn.asked(start);
        assert_eq!((turn.ends(), turn.theirs_since()), (None, Some(start)));
        turn.read(start + seconds(1));
        assert_eq!((turn.ends(), turn.theirs_since()), (None, None));
        turn.hurry(start + seconds(2));
        assert_eq!(turn.ends(), None);
        turn.answered(start + seconds(3));
        assert_eq!(turn.theirs_since(), Some(start + seconds(3)));
    }

    #[test]
    fn an_answer_that_is_not_taken_has_ten_seconds_from_its_last_progress() {
        let (turn, start) = turn();
        turn.exchange(start);
        turn.stalled(start + seconds(1));
        turn.stalled(start + seconds(9));
        assert_eq!(turn.ends(), Some(start + seconds(11)));
        turn.sent(start + seconds(10));
        assert_eq!(turn.ends(), Some(start + seconds(10 + 125)));
        turn.stalled(start + seconds(12));
        assert_eq!(turn.ends(), Some(start + seconds(22)));
    }

    #[test]
    fn a_request_that_is_complete_after_all_is_saved() {
        let (turn, start) = turn();
        turn.hurry(start + seconds(1));
        assert_eq!(turn.ends(), Some(start + seconds(1)));
        turn.asked(start + seconds(1));
        turn.read(start + seconds(1));
        assert_eq!(turn.ends(), None);
    }

    #[tokio::test]
    async fn who_is_told_to_hurry_is_over_at_once() {
        let (turn, start) = turn();
        turn.exchange(start);
        let hurry = async { turn.hurry(start) };
        tokio::time::timeout(seconds(5), async { tokio::join!(turn.over(), hurry) }).await.unwrap();
    }
}
