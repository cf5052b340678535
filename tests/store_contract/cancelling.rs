//! A caller may go away in the middle of anything.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use lectern::model::Forgettable;
use lectern::store::Acceptance;

use crate::home::Home;
use crate::make::{
    accept, all_done, assert_no_work_is_left, claim, claim_all, do_all, event, forget_before, owed, second,
    settlement,
};

crate::on_both_stores![
    an_acceptance_that_is_cancelled_anywhere_leaves_all_or_nothing,
    work_that_is_cancelled_anywhere_leaves_a_store_that_works,
    what_is_accepted_after_a_cancelled_transaction_is_there_for_everybody,
];

/// Polls a future so many times and drops it, whatever it was at.
async fn cancelled_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// How many polls to try: every small number, and then ever larger steps.
fn patience() -> impl Iterator<Item = usize> {
    (0..30).chain((30..4000).step_by(137))
}

async fn an_acceptance_that_is_cancelled_anywhere_leaves_all_or_nothing(store: Home) {
    let another = store.another().await;
    for (number, polls) in patience().enumerate() {
        let batch: Vec<_> =
            (0..5).map(|n| owed(&format!("{number} {n}"), &format!("{n}"), second(1))).collect();
        let finished = cancelled_after(polls, store.accept(&batch)).await;

        // A statement that was sent goes on without us; the same batch waits for it, and says what became of it.
        let answers = another.accept(&batch).await.unwrap();
        let was_there = answers.iter().filter(|answer| matches!(answer, Acceptance::Duplicate(_))).count();
        assert!(was_there == 0 || was_there == 5, "all or nothing: {answers:?}");
        assert!(finished.is_none() || was_there == 5);
        // What is accepted after a cancellation is there for everybody: no connection is left in a transaction.
        let after = owed(&format!("{number} after"), "after", second(1));
        let id = after.record.id;
        accept(&*store, after).await;
        assert!(another.event(id).await.unwrap().is_some());
    }
    do_all(&*store, second(2)).await;
    do_all(&*store, second(2)).await;
    assert_no_work_is_left(&*store).await;
}

/// A transaction that is given up while it begins must not be left open on a connection that others are given.
async fn what_is_accepted_after_a_cancelled_transaction_is_there_for_everybody(store: Home) {
    let another = store.another().await;
    let lease = crate::mirroring::at_the_mirror(&*store).await;
    for (number, polls) in patience().chain(patience()).enumerate() {
        cancelled_after(polls, store.mirror(&crate::mirroring::through(lease, &[]))).await;
        cancelled_after(polls, store.make_ready(second(0), second(1))).await;
        cancelled_after(polls, store.count_before(Forgettable::Events, second(1))).await;
        // On each connection that there may be.
        for part in 0..8 {
            let after = event(&format!("{number} {part}"), second(1));
            let id = after.record.id;
            accept(&*store, after).await;
            assert!(another.event(id).await.unwrap().is_some(), "after {polls} polls it is nobody else's");
        }
    }
}

/// What was sent to PostgreSQL goes on without us: it keeps others waiting, or from its rows, until it is through.
async fn work_that_is_cancelled_anywhere_leaves_a_store_that_works(store: Home) {
    let another = store.another().await;
    for (number, polls) in patience().enumerate() {
        let number = i64::try_from(number).unwrap();
        let (now, later) = (second(1000 * number), second(1000 * number + 500));
        let id = accept(&*store, owed(&number.to_string(), "a", now)).await[0];
        cancelled_after(polls, store.claim(&claim(now))).await;

        // Leased or not: later it is due.
        let mut queues = Vec::new();
        for _ in patiently() {
            queues = claim_all(&*another, later).await.queues;
            if !queues.is_empty() {
                break;
            }
        }
        let [queue] = &queues[..] else { unreachable!("one queue is there, and not {queues:?}") };
        cancelled_after(polls, store.renew(std::slice::from_ref(&queue.lease), later)).await;
        cancelled_after(polls, store.settle(&[all_done(queue, later)])).await;
        another.settle(&[settlement(queue, vec![], later)]).await.unwrap();

        cancelled_after(polls, store.replay(id, later)).await;
        cancelled_after(polls, forget_before(&*store, later, 10)).await;
        for _ in patiently() {
            do_all(&*another, later).await;
            forget_before(&*another, later, 10).await.unwrap();
            if another.delivery(id).await.unwrap().is_none() {
                break;
            }
        }
        assert_eq!(another.delivery(id).await.unwrap(), None);
        assert_no_work_is_left(&*another).await;
    }
}

fn patiently() -> std::ops::Range<u32> {
    0..10_000
}
