//! The connections that a listener has at once, and who leaves when there are too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::limits::Limits;
use super::turn::Turn;

/// When to look again for somebody who can leave, if all were in the middle of their requests.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many leave together: this part of the whole. To find those who have to, all are looked at, which would be an attack of
/// its own if each newcomer could bring it about.
const LEAVE_TOGETHER: usize = 64;

/// How often the log says that connections had to leave.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// All connections of a listener.
pub(super) struct Connections {
    limits: Limits,
    places: Arc<Semaphore>,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    next: u64,
    turns: HashMap<u64, Arc<Turn>>,
    told: Option<Instant>,
    left: usize,
}

/// A connection's place, which it keeps until this is dropped.
pub(super) struct Place {
    number: u64,
    pub(super) turn: Arc<Turn>,
    connections: Arc<Connections>,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.connections));
        Arc::new(Self { limits, places, present: Mutex::default() })
    }

    /// A place for a new connection. When there is none left it does not wait in line behind those who are slow: then
    /// they leave.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            self.make_room(Instant::now());
            // Who has to leave does so at once. If nobody could be asked to, somebody may be idle a moment later, who
            // would keep the place.
            let place = Arc::clone(&self.places).acquire_owned();
            if let Ok(Ok(permit)) = timeout(LOOK_AGAIN, place).await {
                break permit;
            }
        };
        let turn = Arc::new(Turn::new(self.limits, Instant::now()));
        let mut present = self.present();
        let number = present.next;
        present.next += 1;
        present.turns.insert(number, Arc::clone(&turn));
        drop(present);
        Place { number, turn, connections: Arc::clone(self), _permit: permit }
    }

    /// Has a few leave: of those whose turn it is, the ones who have had it longest, be they idle, slow with a request, or
    /// slow to take an answer. So a flood pushes itself out, and a sender who needs milliseconds is through long before it
    /// would be next. Who waits for our answer is never asked to leave.
    pub(super) fn make_room(&self, now: Instant) {
        let mut present = self.present();
        let mut waiting: Vec<_> =
            present.turns.values().filter_map(|turn| Some((turn.theirs_since()?, turn))).collect();
        let few = (self.limits.connections / LEAVE_TOGETHER).max(1).min(waiting.len());
        if few == 0 {
            return;
        }
        waiting.select_nth_unstable_by_key(few - 1, |(since, _)| *since);
        for (_, turn) in &waiting[..few] {
            turn.hurry(now);
        }
        present.left += few;
        if present.told.is_none_or(|told| now.duration_since(told) >= TELL_AGAIN) {
            tracing::warn!(
                closed = present.left,
                connections = self.limits.connections,
                "idle and slow connections were closed to make room for new ones"
            );
            (present.told, present.left) = (Some(now), 0);
        }
    }

    /// Has everybody leave whose turn it is.
    pub(super) fn close_all_that_we_wait_for(&self, now: Instant) {
        for turn in self.present().turns.values() {
            turn.hurry(now);
        }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Nothing panics under the lock; if it did, the list would still be whole.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.present().turns.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection that leaves when it is told to; its number is told when it has.
    fn settle(place: Place, left: &tokio::sync::mpsc::UnboundedSender<u64>) {
        let left = left.clone();
        tokio::spawn(async move {
            place.turn.over().await;
            let number = place.number;
            drop(place);
            left.send(number).unwrap();
        });
    }

    #[tokio::test]
    async fn a_newcomer_takes_the_place_of_who_was_useful_least_recently() {
        let connections = Connections::new(Limits::with_connections(3));
        let (left, mut leaving) = tokio::sync::mpsc::unbounded_channel();
        let start = Instant::now();
        for number in 0..3 {
            let place = connections.enter().await;
            // The first of them is answered last.
            place.turn.asked(start);
            place.turn.answered(start + Duration::from_millis(10 - number));
            settle(place, &left);
        }
        for expected in [2, 1, 0] {
            let newcomer = timeout(Duration::from_secs(10), connections.enter()).await.unwrap();
            assert_eq!(leaving.recv().await, Some(expected));
            newcomer.turn.asked(start);
            newcomer.turn.read(start);
            settle(newcomer, &left);
        }
    }

    #[tokio::test]
    async fn nobody_who_waits_for_us_leaves_and_the_newcomer_gets_in_as_soon_as_one_is_idle() {
        let connections = Connections::new(Limits::with_connections(2));
        let (left, mut leaving) = tokio::sync::mpsc::unbounded_channel();
        let mut turns = Vec::new();
        for _ in 0..2 {
            let place = connections.enter().await;
            place.turn.asked(Instant::now());
            place.turn.read(Instant::now());
            turns.push(Arc::clone(&place.turn));
            settle(place, &left);
        }
        let answer = async {
            // Long enough for the newcomer to have looked around and found nobody.
            tokio::time::sleep(LOOK_AGAIN * 3).await;
            assert!(leaving.try_recv().is_err());
            turns[1].answered(Instant::now());
        };
        timeout(Duration::from_secs(10), async { tokio::join!(connections.enter(), answer) }).await.unwrap();
        assert_eq!(leaving.recv().await, Some(1));
    }

    #[tokio::test]
    async fn of_many_several_leave_together() {
        let connections = Connections::new(Limits::with_connections(256));
        let mut places = Vec::new();
        for _ in 0..256 {
            places.push(connections.enter().await);
        }
        let now = Instant::now();
        connections.make_room(now);
        let told = |place: &&Place| {
            let over = std::pin::pin!(place.turn.over());
            futures_util::FutureExt::now_or_never(over).is_some()
        };
        assert_eq!(places.iter().filter(told).map(|place| place.number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
