//! The signal that there may be work.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::home::Home;
use crate::make::{accept, do_all, owed, second};

crate::on_both_stores![
    an_acceptance_wakes_everybody_who_waits,
    an_acceptance_before_the_wait_is_not_missed,
    a_duplicate_wakes_nobody,
    a_replay_wakes_too,
];

async fn an_acceptance_wakes_everybody_who_waits(store: Home) {
    let waiters = (0..8).map(|_| {
        let mut signal = store.work_signal();
        tokio::spawn(async move { signal.changed().await.unwrap() })
    });
    let waiters = join_all(waiters.collect::<Vec<_>>());
    accept(&*store, owed("e1", "a", second(1))).await;
    for waiter in timeout(Duration::from_secs(10), waiters).await.expect("all are woken") {
        waiter.unwrap();
    }
}

async fn an_acceptance_before_the_wait_is_not_missed(store: Home) {
    let mut signal = store.work_signal();
    signal.mark_unchanged();
    accept(&*store, owed("e1", "a", second(1))).await;
    assert!(signal.has_changed().unwrap());
    signal.changed().await.unwrap();
}

async fn a_duplicate_wakes_nobody(store: Home) {
    let event = owed("e1", "a", second(1));
    accept(&*store, event.clone()).await;
    let mut signal = store.work_signal();
    signal.mark_unchanged();
    store.accept(std::slice::from_ref(&event)).await.unwrap();
    assert!(!signal.has_changed().unwrap());
    store.accept(&[event, owed("e2", "a", second(2))]).await.unwrap();
    assert!(signal.has_changed().unwrap());
}

async fn a_replay_wakes_too(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    do_all(&*store, second(1)).await;
    let mut signal = store.work_signal();
    signal.mark_unchanged();
    store.replay(id, second(2)).await.unwrap();
    assert!(signal.has_changed().unwrap());
}
