//! Opening deliveries again.

use futures_util::future::join_all;
use lectern::model::{DeliveryId, DeliveryState};

use crate::home::Home;
use crate::make::{
    accept, all_done, assert_no_work_is_left, claim_all, claim_one, do_all, failed, owed, second, settle,
    settlement, uids,
};

crate::on_both_stores![
    a_done_delivery_is_opened_again,
    a_dead_delivery_starts_over_with_its_count_of_failures,
    a_replayed_delivery_comes_before_later_ones_of_its_queue,
    a_waiting_delivery_is_made_due,
    a_replay_never_puts_off_what_is_due,
    a_replay_leaves_a_lease_alone,
    sixteen_replays_at_once_open_it_once,
    a_replay_at_the_moment_of_a_settlement_is_not_lost,
    an_unknown_delivery_is_not_replayed,
];

async fn a_done_delivery_is_opened_again(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    do_all(&*store, second(2)).await;
    let replayed = store.replay(id, second(10)).await.unwrap().unwrap();
    assert_eq!(replayed.state, DeliveryState::Pending);
    assert_eq!((replayed.attempts, replayed.failures), (1, 0));
    assert_eq!((replayed.opened_at, replayed.settled_at), (second(10), None));
    assert_eq!(store.delivery(id).await.unwrap(), Some(replayed.clone()));

    assert!(claim_all(&*store, second(9)).await.queues.is_empty());
    let queue = claim_one(&*store, second(10)).await;
    assert_eq!(queue.due[0].delivery, replayed);
    settle(&*store, all_done(&queue, second(10))).await;
    let numbers: Vec<u32> = store.attempts(id).await.unwrap().iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2], "attempts count on");
    assert_no_work_is_left(&*store).await;
}

async fn a_dead_delivery_starts_over_with_its_count_of_failures(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    for (at, state) in [(2, DeliveryState::Pending), (3, DeliveryState::Dead)] {
        let queue = claim_one(&*store, second(at)).await;
        settle(&*store, settlement(&queue, vec![failed(id, state, second(at))], second(at))).await;
    }
    assert_eq!(store.delivery(id).await.unwrap().unwrap().failures, 2);
    let replayed = store.replay(id, second(10)).await.unwrap().unwrap();
    assert_eq!((replayed.attempts, replayed.failures), (2, 0));
}

async fn a_replayed_delivery_comes_before_later_ones_of_its_queue(store: Home) {
    let id = accept(&*store, owed("first", "a", second(1))).await[0];
    do_all(&*store, second(1)).await;
    accept(&*store, owed("later", "a", second(2))).await;
    store.replay(id, second(3)).await.unwrap();
    let queue = claim_one(&*store, second(3)).await;
    assert_eq!(uids(&queue.due), ["first", "later"]);
    settle(&*store, all_done(&queue, second(3))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_waiting_delivery_is_made_due(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    let retry = failed(id, DeliveryState::Pending, second(1));
    settle(&*store, settlement(&queue, vec![retry], second(900))).await;
    let replayed = store.replay(id, second(5)).await.unwrap().unwrap();
    assert_eq!((replayed.state, replayed.failures), (DeliveryState::Pending, 1));
    let queue = claim_one(&*store, second(5)).await;
    settle(&*store, all_done(&queue, second(5))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_replay_never_puts_off_what_is_due(store: Home) {
    let closed = accept(&*store, owed("closed", "a", second(1))).await[0];
    do_all(&*store, second(1)).await;
    let open = accept(&*store, owed("open", "a", second(2))).await[0];
    for id in [open, closed] {
        store.replay(id, second(900)).await.unwrap();
    }
    assert_eq!(uids(&claim_one(&*store, second(2)).await.due), ["closed", "open"]);
}

async fn a_replay_leaves_a_lease_alone(store: Home) {
    let closed = accept(&*store, owed("closed", "a", second(1))).await[0];
    do_all(&*store, second(1)).await;
    let open = accept(&*store, owed("open", "a", second(2))).await[0];
    let queue = claim_one(&*store, second(2)).await;
    for id in [open, closed] {
        store.replay(id, second(3)).await.unwrap();
    }
    assert!(claim_all(&*store, second(4)).await.queues.is_empty());
    settle(&*store, all_done(&queue, second(5))).await;
    assert_eq!(store.delivery(open).await.unwrap().unwrap().state, DeliveryState::Done);
    let queue = claim_one(&*store, second(5)).await;
    assert_eq!(uids(&queue.due), ["closed"]);
    settle(&*store, all_done(&queue, second(5))).await;
    assert_no_work_is_left(&*store).await;
}

async fn sixteen_replays_at_once_open_it_once(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    for round in 2..7 {
        do_all(&*store, second(round)).await;
        let replays = (0..16).map(|_| store.replay(id, second(round + 1)));
        for replayed in join_all(replays).await {
            assert_eq!(replayed.unwrap().unwrap().state, DeliveryState::Pending);
        }
    }
    do_all(&*store, second(9)).await;
    assert_eq!(store.delivery(id).await.unwrap().unwrap().attempts, 6);
    assert_no_work_is_left(&*store).await;
}

/// A replay that comes before the settlement finds the delivery open, and has nothing to add; one that comes after opens
/// it. None may find it dead and leave it so.
async fn a_replay_at_the_moment_of_a_settlement_is_not_lost(store: Home) {
    const QUEUES: i64 = 12;
    let another = store.another_server().await;
    let mut opened = 0;
    for round in 0..60 {
        let (now, later) = (second(100 * round), second(100 * round + 10));
        let batch: Vec<_> =
            (0..QUEUES).map(|n| owed(&format!("{round} {n}"), &format!("{n}"), now)).collect();
        store.accept(&batch).await.unwrap();
        let ids: Vec<_> = batch.iter().map(|event| event.deliveries[0].id).collect();
        let dead: Vec<_> = claim_all(&*store, now)
            .await
            .queues
            .iter()
            .map(|queue| {
                let attempt = failed(queue.due[0].delivery.id, DeliveryState::Dead, now);
                settlement(queue, vec![attempt], now)
            })
            .collect();
        let replays = join_all(ids.iter().map(|&id| another.replay(id, later)));
        let (written, replayed) = tokio::join!(store.settle(&dead), replays);
        assert!(written.unwrap().into_iter().all(|written| written));

        let mut open = 0;
        for (id, replayed) in ids.into_iter().zip(replayed) {
            let replayed = replayed.unwrap().unwrap();
            assert_eq!(replayed.state, DeliveryState::Pending, "round {round}: {replayed:?}");
            let stands = store.delivery(id).await.unwrap().unwrap();
            if replayed.opened_at == later {
                assert_eq!(stands, replayed);
                assert_eq!((stands.attempts, stands.failures), (1, 0));
                open += 1;
            } else {
                assert_eq!((stands.state, stands.attempts), (DeliveryState::Dead, 1));
            }
        }
        let queues = claim_all(&*store, later).await.queues;
        assert_eq!(queues.len(), open, "each that was opened is due");
        store.settle(&queues.iter().map(|queue| all_done(queue, later)).collect::<Vec<_>>()).await.unwrap();
        opened += open;
    }
    assert_no_work_is_left(&*store).await;
    assert!(opened > 0, "some came after the settlement");
}

async fn an_unknown_delivery_is_not_replayed(store: Home) {
    assert_eq!(store.replay(DeliveryId::at(second(1)), second(1)).await.unwrap(), None);
    assert_no_work_is_left(&*store).await;
}
