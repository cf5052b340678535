//! Large bodies of a claim: they are read after all else, and no more of them than fit together. Whoever claims can't know how
//! large the bodies are, and would get as many at a time as are small.

use std::collections::HashMap;

use super::LeasedQueue;
use super::kept::fitting;
use crate::model::{Content, EventId};

/// A body that is no larger is read with its delivery, by one statement for all: what events usually have.
pub(super) const SMALL: i64 = 8 * 1024;

/// Which of the large bodies are read, given the size of each. The first deliveries of all queues come before the second ones of
/// any.
pub(super) fn wanted(queues: &[LeasedQueue], sizes: &HashMap<EventId, i64>) -> Vec<EventId> {
    let mut large: Vec<(usize, usize, EventId)> = queues
        .iter()
        .enumerate()
        .flat_map(|(nth, queue)| {
            queue.due.iter().enumerate().map(move |(place, due)| (place, nth, due.event.id))
        })
        .filter(|(.., event)| sizes.contains_key(event))
        .collect();
    large.sort_unstable();
    large.truncate(fitting(large.iter().map(|(.., event)| sizes.get(event).copied())));
    large.into_iter().map(|(.., event)| event).collect()
}

/// Puts the large bodies in that were read. A queue ends before the first that was not; those of which nothing is left come
/// apart.
pub(super) fn put_in(
    mut queues: Vec<LeasedQueue>,
    sizes: &HashMap<EventId, i64>,
    read: Vec<(EventId, Content)>,
) -> (Vec<LeasedQueue>, Vec<LeasedQueue>) {
    let mut read: HashMap<EventId, Content> = read.into_iter().collect();
    for queue in &mut queues {
        let is_whole = |due: &mut super::Due| match read.remove(&due.event.id) {
            Some(content) => {
                due.content = content;
                true
            }
            None => !sizes.contains_key(&due.event.id),
        };
        let whole = queue.due.iter_mut().map(is_whole).take_while(|is_whole| *is_whole).count();
        queue.due.truncate(whole);
    }
    queues.into_iter().partition(|queue| !queue.due.is_empty())
}
