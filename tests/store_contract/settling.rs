//! Settling: what an attempt leads to, and when what is left is due.

use std::time::Duration;

use jiff::Timestamp;
use lectern::model::{Attempt, AttemptOutcome, Backlog, DeliveryState};
use lectern::store::FinishedAttempt;

use crate::home::Home;
use crate::make::{
    HANDLER, accept, all_done, assert_no_work_is_left, claim, claim_all, claim_one, done, failed,
    microsecond, owed, owed_to, second, settle, settlement, uids,
};

crate::on_both_stores![
    a_delivery_that_is_done_leaves_its_queue,
    a_failed_delivery_waits_for_its_retry,
    a_dead_delivery_lets_the_next_one_go_on,
    a_queue_that_is_given_back_is_due_when_its_worker_says,
    an_attempt_is_kept_as_it_went,
    whatever_an_attempt_claims_it_can_be_kept,
    attempts_are_numbered_over_all_leases,
    a_queue_that_grew_while_it_was_leased_goes_on,
    a_part_of_a_queue_can_be_settled,
    settlements_stand_each_for_itself,
    a_delivery_of_another_queue_is_not_touched,
    a_delivery_that_is_closed_already_is_not_counted_again,
    an_empty_settlement_of_nothing_is_fine,
    the_backlog_counts_what_is_open,
    what_is_open_longest_is_told_whether_or_not_it_is_due,
];

async fn the_backlog_counts_what_is_open(store: Home) {
    assert_eq!(store.backlog().await.unwrap(), []);
    let both = accept(&*store, owed_to(&[HANDLER, "archive"], "e1", "a", second(1))).await;
    accept(&*store, owed("e2", "a", second(1))).await;
    accept(&*store, owed("e3", "b", second(9))).await;
    let backlog = |handler: &str, open, dead, due| Backlog {
        handler: handler.to_owned(),
        open,
        parked: 0,
        dead,
        oldest_due_at: Some(second(due)),
    };
    assert_eq!(store.backlog().await.unwrap(), [backlog("archive", 1, 0, 1), backlog(HANDLER, 3, 0, 1)]);

    let queue = claim_one(&*store, second(2)).await;
    assert_eq!(queue.due[0].delivery.id, both[0]);
    let ends =
        vec![done(both[0], second(3)), failed(queue.due[1].delivery.id, DeliveryState::Dead, second(3))];
    settle(&*store, settlement(&queue, ends, second(3))).await;
    assert_eq!(store.backlog().await.unwrap(), [backlog("archive", 1, 0, 1), backlog(HANDLER, 1, 1, 9)]);
}

async fn what_is_open_longest_is_told_whether_or_not_it_is_due(store: Home) {
    assert_eq!(store.oldest_open().await.unwrap(), []);
    accept(&*store, owed_to(&[HANDLER, "archive"], "e1", "a", second(1))).await;
    accept(&*store, owed("e2", "a", second(2))).await;
    accept(&*store, owed("e3", "b", second(3))).await;
    let oldest = |at| vec![("archive".to_owned(), second(1)), (HANDLER.to_owned(), second(at))];
    assert_eq!(store.oldest_open().await.unwrap(), oldest(1));

    // A try that failed makes it no younger, nor does a lease.
    let queue = claim_one(&*store, second(2)).await;
    let first = queue.due[0].delivery.id;
    settle(&*store, settlement(&queue, vec![failed(first, DeliveryState::Pending, second(2))], second(900)))
        .await;
    assert_eq!(store.oldest_open().await.unwrap(), oldest(1));
    let queues = claim_all(&*store, second(900)).await.queues;
    assert_eq!(store.oldest_open().await.unwrap(), oldest(1));
    let queue = queues.iter().find(|queue| queue.lease.queue.ordering_key == "a").unwrap();
    settle(&*store, settlement(queue, vec![done(first, second(900))], second(900))).await;
    assert_eq!(store.oldest_open().await.unwrap(), oldest(2));

    // Once more from the beginning: it is open since then.
    store.replay(first, second(901)).await.unwrap();
    assert_eq!(store.oldest_open().await.unwrap(), oldest(3), "its queue begins with what was replayed");
}

async fn a_delivery_that_is_done_leaves_its_queue(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(2)).await;
    settle(&*store, all_done(&queue, second(3))).await;

    let delivery = store.delivery(id).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Done);
    assert_eq!((delivery.attempts, delivery.failures), (1, 0));
    assert_eq!((delivery.opened_at, delivery.settled_at), (second(1), Some(second(4))));
    assert_no_work_is_left(&*store).await;
}

async fn a_failed_delivery_waits_for_its_retry(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    accept(&*store, owed("e2", "a", second(1))).await;
    let queue = claim_one(&*store, second(2)).await;
    let retry = failed(id, DeliveryState::Pending, second(3));
    settle(&*store, settlement(&queue, vec![retry], second(30))).await;

    let delivery = store.delivery(id).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Pending);
    assert_eq!((delivery.attempts, delivery.failures, delivery.settled_at), (1, 1, None));
    let early = claim_all(&*store, second(29)).await;
    assert!(early.queues.is_empty(), "the next one of the queue waits too");
    assert_eq!(early.next_due, Some(second(30)));
    accept(&*store, owed("e3", "a", second(4))).await;
    assert!(claim_all(&*store, second(29)).await.queues.is_empty(), "a new event does not shorten the wait");

    let queue = claim_one(&*store, second(30)).await;
    assert_eq!(uids(&queue.due), ["e1", "e2", "e3"]);
    assert_eq!(queue.due[0].delivery, delivery);
}

async fn a_dead_delivery_lets_the_next_one_go_on(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    accept(&*store, owed("e2", "a", second(1))).await;
    let queue = claim_one(&*store, second(2)).await;
    settle(&*store, settlement(&queue, vec![failed(id, DeliveryState::Dead, second(3))], second(3))).await;

    let delivery = store.delivery(id).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Dead);
    assert_eq!((delivery.attempts, delivery.failures, delivery.settled_at), (1, 1, Some(second(4))));
    let queue = claim_one(&*store, second(3)).await;
    assert_eq!(uids(&queue.due), ["e2"]);
    settle(&*store, all_done(&queue, second(4))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_queue_that_is_given_back_is_due_when_its_worker_says(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(2)).await;
    settle(&*store, settlement(&queue, vec![], microsecond(2_500_000))).await;
    assert!(claim_all(&*store, microsecond(2_499_999)).await.queues.is_empty());
    let queue = claim_one(&*store, microsecond(2_500_000)).await;
    assert_eq!(queue.due[0].delivery.attempts, 0);
    assert!(store.attempts(id).await.unwrap().is_empty());
}

async fn an_attempt_is_kept_as_it_went(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let output = "line\r\n\u{1b}[31mred\0 📚 ".repeat(100);
    let mut expected = Vec::new();
    for (number, (outcome, status, output, error)) in [
        (AttemptOutcome::Failed, Some(503), Some(output.as_str()), Some("no\0thing")),
        (AttemptOutcome::TimedOut, None, None, Some("")),
        (AttemptOutcome::Failed, Some(i32::MIN), Some(""), None),
        (AttemptOutcome::Done, Some(i32::MAX), None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let now = second(100 * i64::try_from(number).unwrap() + 1);
        let queue = claim_one(&*store, now).await;
        let mut attempt = done(id, now + Duration::from_micros(7));
        attempt.duration = Duration::from_micros(number as u64 * 1_000_001);
        attempt.outcome = outcome;
        attempt.status = status;
        attempt.output = output.map(String::from);
        attempt.error = error.map(String::from);
        if outcome != AttemptOutcome::Done {
            attempt.state = DeliveryState::Pending;
        }
        expected.push(Attempt {
            number: u32::try_from(number).unwrap() + 1,
            started_at: attempt.started_at,
            duration: attempt.duration,
            outcome,
            status,
            output: output.map(|text| text.replace('\0', "\u{fffd}")),
            error: error.map(|text| text.replace('\0', "\u{fffd}")),
        });
        settle(&*store, settlement(&queue, vec![attempt], now)).await;
    }
    assert_eq!(store.attempts(id).await.unwrap(), expected);
    let delivery = store.delivery(id).await.unwrap().unwrap();
    assert_eq!((delivery.attempts, delivery.failures), (4, 3));
    let last = expected.last().unwrap();
    assert_eq!(delivery.settled_at, Some(last.started_at + last.duration));
}

/// What can't be written would keep everything waiting that is settled with it.
async fn whatever_an_attempt_claims_it_can_be_kept(store: Home) {
    let ids = [
        accept(&*store, owed("e1", "a", second(1))).await[0],
        accept(&*store, owed("e2", "b", second(1))).await[0],
    ];
    let moments = [Timestamp::MIN, Timestamp::MAX];
    let mut settlements = Vec::new();
    for (queue, moment) in claim_all(&*store, second(1)).await.queues.iter().zip(moments) {
        let attempt = FinishedAttempt {
            started_at: moment,
            duration: Duration::MAX,
            status: Some(i32::MIN),
            output: Some("\0".repeat(100_000)),
            error: Some("\u{10ffff}\u{fffe}\u{202e}".into()),
            ..done(queue.due[0].delivery.id, moment)
        };
        settlements.push(settlement(queue, vec![attempt], moment));
    }
    assert_eq!(store.settle(&settlements).await.unwrap(), [true, true]);
    for id in ids {
        assert_eq!(store.delivery(id).await.unwrap().unwrap().state, DeliveryState::Done);
        let attempt = store.attempts(id).await.unwrap().remove(0);
        assert_eq!(attempt.duration, Duration::from_micros(i64::MAX.unsigned_abs()));
        assert_eq!(attempt.status, Some(i32::MIN));
    }
    assert_no_work_is_left(&*store).await;
}

async fn attempts_are_numbered_over_all_leases(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    for number in 1..=12_i64 {
        let now = second(number);
        let queue = claim_one(&*store, now).await;
        settle(&*store, settlement(&queue, vec![failed(id, DeliveryState::Pending, now)], now)).await;
    }
    let numbers: Vec<u32> = store.attempts(id).await.unwrap().iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u32>>());
}

async fn a_queue_that_grew_while_it_was_leased_goes_on(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let queue = claim_one(&*store, second(1)).await;
    accept(&*store, owed("e2", "a", second(2))).await;
    settle(&*store, all_done(&queue, second(3))).await;
    let queue = claim_one(&*store, second(3)).await;
    assert_eq!(uids(&queue.due), ["e2"]);
    settle(&*store, all_done(&queue, second(4))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_part_of_a_queue_can_be_settled(store: Home) {
    for uid in ["e1", "e2", "e3", "e4"] {
        accept(&*store, owed(uid, "a", second(1))).await;
    }
    let queue = claim_one(&*store, second(1)).await;
    let [one, two, ..] = &queue.due[..] else { unreachable!("four are due") };
    let attempts =
        vec![done(one.delivery.id, second(2)), failed(two.delivery.id, DeliveryState::Pending, second(3))];
    settle(&*store, settlement(&queue, attempts, second(9))).await;
    assert_eq!(uids(&claim_one(&*store, second(9)).await.due), ["e2", "e3", "e4"]);
}

async fn settlements_stand_each_for_itself(store: Home) {
    for key in ["a", "b", "c"] {
        accept(&*store, owed(key, key, second(1))).await;
    }
    let mut queues = claim_all(&*store, second(1)).await.queues;
    queues.sort_by(|a, b| b.lease.queue.cmp(&a.lease.queue));
    // The one in the middle is taken over by another.
    settle(&*store, settlement(&queues[1], vec![], second(2))).await;
    claim_one(&*store, second(2)).await;

    let settlements = [
        all_done(&queues[0], second(3)),
        all_done(&queues[1], second(3)),
        settlement(&queues[2], vec![], second(500)),
    ];
    assert_eq!(store.settle(&settlements).await.unwrap(), [true, false, true]);
    let states = async |queue: usize| {
        let id = queues[queue].due[0].delivery.id;
        store.delivery(id).await.unwrap().unwrap().state.as_str()
    };
    assert_eq!([states(0).await, states(1).await, states(2).await], ["done", "pending", "pending"]);
    assert_eq!(claim_all(&*store, second(400)).await.next_due, Some(second(500)));
}

async fn a_delivery_of_another_queue_is_not_touched(store: Home) {
    let mine = accept(&*store, owed("mine", "a", second(1))).await[0];
    let others = accept(&*store, owed("other's", "b", second(2))).await[0];
    let queue =
        store.claim(&lectern::store::Claim { queues: 1, ..claim(second(2)) }).await.unwrap().queues.remove(0);
    assert_eq!(queue.lease.queue.ordering_key, "a");
    let attempts = vec![done(others, second(2)), done(mine, second(2))];
    settle(&*store, settlement(&queue, attempts, second(3))).await;

    assert_eq!(store.delivery(others).await.unwrap().unwrap().state, DeliveryState::Pending);
    assert!(store.attempts(others).await.unwrap().is_empty());
    let queue = claim_one(&*store, second(3)).await;
    assert_eq!(uids(&queue.due), ["other's"]);
    settle(&*store, all_done(&queue, second(3))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_delivery_that_is_closed_already_is_not_counted_again(store: Home) {
    let first = accept(&*store, owed("e1", "a", second(1))).await[0];
    let second_id = accept(&*store, owed("e2", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    settle(&*store, settlement(&queue, vec![done(first, second(1))], second(2))).await;
    let queue = claim_one(&*store, second(2)).await;
    settle(&*store, settlement(&queue, vec![done(first, second(2))], second(3))).await;

    assert_eq!(store.attempts(first).await.unwrap().len(), 1);
    let queue = claim_one(&*store, second(3)).await;
    assert_eq!(queue.due[0].delivery.id, second_id);
    settle(&*store, all_done(&queue, second(3))).await;
    assert_no_work_is_left(&*store).await;
}

async fn an_empty_settlement_of_nothing_is_fine(store: Home) {
    assert!(store.settle(&[]).await.unwrap().is_empty());
}
