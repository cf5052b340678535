//! The order of a queue is the order of acceptance.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::home::Home;
use crate::make::{all_done, claim, claim_all, claim_one, owed, second, settle, uids};

crate::on_both_stores![
    deliveries_of_a_queue_come_in_the_order_of_acceptance,
    the_order_holds_against_the_clock_and_the_names,
    what_was_accepted_before_another_began_comes_before_it,
    the_order_in_which_deliveries_show_is_their_order_for_good,
];

async fn deliveries_of_a_queue_come_in_the_order_of_acceptance(store: Home) {
    let mut number = 0;
    for size in [1, 5, 1, 64, 3] {
        let batch: Vec<_> = (0..size)
            .flat_map(|_| {
                number += 1;
                [owed(&format!("a{number}"), "a", second(1)), owed(&format!("b{number}"), "b", second(1))]
            })
            .collect();
        store.accept(&batch).await.unwrap();
    }
    for queue in claim_all(&*store, second(2)).await.queues {
        let key = &queue.lease.queue.ordering_key;
        let expected: Vec<String> = (1..=number).map(|number| format!("{key}{number}")).collect();
        assert_eq!(uids(&queue.due), expected);
    }
}

/// Two lanes, or two machines, need not agree on the time.
async fn the_order_holds_against_the_clock_and_the_names(store: Home) {
    store.accept(&[owed("z", "a", second(30)), owed("y", "a", second(20))]).await.unwrap();
    store.accept(&[owed("x", "a", second(10))]).await.unwrap();
    assert_eq!(uids(&claim_one(&*store, second(30)).await.due), ["z", "y", "x"]);
}

/// Many tasks on two stores accept into one queue. Each notes what moment it began and ended at, so that at the end any
/// two that did not overlap can be compared.
async fn what_was_accepted_before_another_began_comes_before_it(store: Home) {
    let moments = Arc::new(AtomicUsize::new(0));
    let stores = [store.share(), store.another_server().await];
    let tasks = (0..8_usize).map(|task| {
        let (store, moments) = (Arc::clone(&stores[task % 2]), Arc::clone(&moments));
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            for round in 0..25 {
                let batch: Vec<_> = (0..1 + round % 4)
                    .map(|n| owed(&format!("{task} {round} {n}"), "hot", second(1)))
                    .collect();
                let began = moments.fetch_add(1, Ordering::SeqCst);
                store.accept(&batch).await.unwrap();
                let ended = moments.fetch_add(1, Ordering::SeqCst);
                for event in batch {
                    accepted.push((event.record.event_uid.unwrap(), began, ended));
                }
            }
            accepted
        })
    });
    let mut times: HashMap<String, (usize, usize)> = HashMap::new();
    for accepted in join_all(tasks).await {
        times.extend(accepted.unwrap().into_iter().map(|(uid, began, ended)| (uid, (began, ended))));
    }

    let mut order: Vec<String> = Vec::new();
    while order.len() < times.len() {
        let some = lectern::store::Claim { deliveries_each: 37, ..claim(second(2)) };
        let queue = store.claim(&some).await.unwrap().queues.remove(0);
        order.extend(uids(&queue.due).into_iter().map(String::from));
        settle(&*store, all_done(&queue, second(2))).await;
    }
    let mut latest_beginning = 0;
    for uid in order {
        let (began, ended) = times[&uid];
        assert!(ended > latest_beginning, "{uid} had ended before one that comes earlier began");
        latest_beginning = latest_beginning.max(began);
    }
}

/// A delivery that shows after a later one was handed out already would be handled out of order. What was handed out
/// while it was accepted is compared with what is handed out when all is opened again.
async fn the_order_in_which_deliveries_show_is_their_order_for_good(store: Home) {
    const ACCEPTORS: usize = 6;
    const EVENTS: usize = 60;
    let stores = [store.share(), store.another_server().await];
    let acceptors = (0..ACCEPTORS).map(|task| {
        let store = Arc::clone(&stores[task % 2]);
        tokio::spawn(async move {
            for round in 0..EVENTS / 2 {
                // Many queues to write first, so that the rest of the statement takes its time.
                let mut batch: Vec<_> = (0..20)
                    .map(|n| owed(&format!("{task} {round} {n}"), &format!("other {task}"), second(900)))
                    .collect();
                batch.insert(5, owed(&format!("{task} {round} a"), "hot", second(1)));
                batch.insert(15, owed(&format!("{task} {round} b"), "hot", second(1)));
                store.accept(&batch).await.unwrap();
            }
        })
    });
    let acceptors: Vec<_> = acceptors.collect();

    let mut shown = Vec::new();
    let mut opened = Vec::new();
    let show_all = async {
        while shown.len() < ACCEPTORS * EVENTS {
            for queue in claim_all(&*store, second(1)).await.queues {
                shown.extend(uids(&queue.due).into_iter().map(String::from));
                opened.extend(queue.due.iter().map(|due| due.delivery.id));
                settle(&*store, all_done(&queue, second(1))).await;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), show_all).await.expect("all is handed out in good time");
    join_all(acceptors).await.into_iter().for_each(Result::unwrap);

    for id in opened.into_iter().rev() {
        store.replay(id, second(1)).await.unwrap();
    }
    let all = lectern::store::Claim { deliveries_each: 1000, ..claim(second(1)) };
    assert_eq!(uids(&store.claim(&all).await.unwrap().queues.remove(0).due), shown);
}
