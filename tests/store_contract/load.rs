//! Many at once: acceptors, workers, latecomers and people who replay. At the end the books must balance.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::try_join_all;
use lectern::model::{AttemptOutcome, DeliveryFilter, DeliveryId, DeliveryState, PageRequest};
use lectern::store::{Claim, LeaseToken, Store};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::home::Home;
use crate::make::{
    assert_no_work_is_left, claim, done, failed, first, owed, owed_to, second, settlement, uids,
};

crate::on_both_stores![
    thousands_of_deliveries_are_done_exactly_once_and_in_order,
    one_hot_queue_never_loses_count,
];

/// What workers did, by queue: the uids of events in the order in which they were done.
type Journal = Arc<Mutex<HashMap<(String, String), Vec<String>>>>;

/// Works for a handler until everything that will be accepted is done. Every fourth attempt fails; now and then only a
/// part of what was claimed is settled.
async fn work(store: Arc<dyn Store>, handler: &str, journal: Journal, left: Arc<AtomicUsize>) {
    let now = second(1);
    for round in 0_usize.. {
        if left.load(Ordering::SeqCst) == 0 {
            return;
        }
        let some = Claim {
            handler: handler.into(),
            queues: 5,
            deliveries_each: 6,
            token: LeaseToken::at(now),
            ..claim(now)
        };
        let mut settlements = Vec::new();
        for queue in store.claim(&some).await.unwrap().queues {
            let mut attempts = Vec::new();
            for (nth, (due, uid)) in queue.due.iter().zip(uids(&queue.due)).enumerate() {
                if (round + nth) % 4 == 3 && due.delivery.attempts < 3 {
                    attempts.push(failed(due.delivery.id, DeliveryState::Pending, now));
                    break;
                }
                let key = (handler.to_owned(), queue.lease.queue.ordering_key.clone());
                journal.lock().unwrap().entry(key).or_default().push(uid.to_owned());
                attempts.push(done(due.delivery.id, now));
            }
            settlements.push(settlement(&queue, attempts, now));
        }
        assert!(store.settle(&settlements).await.unwrap().into_iter().all(|written| written));
        let was_done = |outcome| outcome == AttemptOutcome::Done;
        let done = settlements
            .iter()
            .flat_map(|one| &one.attempts)
            .filter(|attempt| was_done(attempt.outcome))
            .count();
        left.fetch_sub(done, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

async fn thousands_of_deliveries_are_done_exactly_once_and_in_order(store: Home) {
    const ACCEPTORS: usize = 4;
    const BATCHES: usize = 25;
    const QUEUES: usize = 6;
    let stores = [store.share(), store.another_server().await];
    let left = Arc::new(AtomicUsize::new(ACCEPTORS * BATCHES * 12 * 2));
    let journal = Journal::default();

    let acceptors = (0..ACCEPTORS).map(|acceptor| {
        let store = Arc::clone(&stores[acceptor % 2]);
        tokio::spawn(async move {
            for number in 0..BATCHES {
                let batch: Vec<_> = (0..12)
                    .map(|n| {
                        let uid = format!("{acceptor} {:04}", number * 12 + n);
                        owed_to(
                            &["mirror", "crm"],
                            &uid,
                            &format!("queue {}", (n * 5 + acceptor) % QUEUES),
                            second(1),
                        )
                    })
                    .collect();
                store.accept(&batch).await.unwrap();
            }
        })
    });
    let workers = (0..6_usize).map(|worker| {
        let store = Arc::clone(&stores[worker % 2]);
        let (journal, left) = (Arc::clone(&journal), Arc::clone(&left));
        tokio::spawn(async move { work(store, ["mirror", "crm"][worker / 3], journal, left).await })
    });
    finish(acceptors.chain(workers).collect()).await;

    assert_no_work_is_left(&*store).await;
    let journal = journal.lock().unwrap().clone();
    assert_eq!(journal.len(), 2 * QUEUES);
    assert_eq!(journal.values().map(Vec::len).sum::<usize>(), ACCEPTORS * BATCHES * 12 * 2, "each once");
    for ((handler, key), uids) in journal {
        for acceptor in 0..ACCEPTORS {
            let own: Vec<_> = uids.iter().filter(|uid| uid.starts_with(&format!("{acceptor} "))).collect();
            assert!(own.is_sorted_by(|a, b| a < b), "{handler} {key}: {own:?}");
        }
    }
    assert_all_done(&*store, ACCEPTORS * BATCHES * 12 * 2).await;
}

/// One delivery an acceptance, and never more than a few open: the queue empties and comes to life over and over, and a
/// settlement that finds it empty often waits for an acceptance that fills it.
async fn one_hot_queue_never_loses_count(store: Home) {
    const EVENTS: usize = 100;
    let stores = [store.share(), store.another_server().await];
    let left = Arc::new(AtomicUsize::new(4 * EVENTS));
    let accepted = Arc::new(AtomicUsize::new(0));
    let acceptors = (0..4).map(|acceptor| {
        let (store, left, accepted) =
            (Arc::clone(&stores[acceptor % 2]), Arc::clone(&left), Arc::clone(&accepted));
        tokio::spawn(async move {
            for n in 0..EVENTS {
                while accepted.load(Ordering::SeqCst) + left.load(Ordering::SeqCst) > 4 * EVENTS + 2 {
                    tokio::task::yield_now().await;
                }
                accepted.fetch_add(1, Ordering::SeqCst);
                store.accept(&[owed(&format!("{acceptor} {n}"), "hot", second(1))]).await.unwrap();
            }
        })
    });
    let workers = (0..2).map(|worker| {
        let (store, left) = (Arc::clone(&stores[worker % 2]), Arc::clone(&left));
        tokio::spawn(async move { work(store, "mirror", Journal::default(), left).await })
    });
    finish(acceptors.chain(workers).collect()).await;
    assert_no_work_is_left(&*store).await;
    assert_all_done(&*store, 4 * EVENTS).await;
}

/// Waits for all tasks. A queue that lost count would keep them waiting for ever.
async fn finish(tasks: Vec<JoinHandle<()>>) {
    let all = timeout(Duration::from_secs(60), try_join_all(tasks)).await;
    all.expect("all is done in good time").expect("no task panics");
}

async fn assert_all_done(store: &dyn Store, expected: usize) {
    let (mut number, mut below): (usize, Option<DeliveryId>) = (0, None);
    loop {
        let page = PageRequest { below, ..first(500) };
        let deliveries = store.deliveries(&DeliveryFilter::default(), page).await.unwrap();
        let Some(last) = deliveries.last() else { break };
        below = Some(last.id);
        number += deliveries.len();
        for delivery in &deliveries {
            assert_eq!(delivery.state, DeliveryState::Done);
            assert_eq!(delivery.attempts, delivery.failures + 1, "done once");
        }
    }
    assert_eq!(number, expected);
}
