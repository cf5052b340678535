//! Leases: how they end, how they are prolonged, and how they keep latecomers out.

use lectern::model::DeliveryState;
use lectern::store::{Lease, LeaseToken, QueueRef};

use crate::home::Home;
use crate::make::{
    accept, all_done, claim_all, claim_one, done, failed, owed, second, settle, settlement, uids,
};

crate::on_both_stores![
    an_expired_lease_hands_the_delivery_to_another,
    a_late_worker_changes_nothing,
    an_expired_lease_that_nobody_took_can_still_be_settled,
    a_lease_is_settled_once,
    a_renewed_lease_lasts_longer,
    only_leases_that_are_held_are_renewed,
    a_forged_token_changes_nothing,
    leases_that_end_unsettled_are_counted_until_one_is_settled,
];

async fn an_expired_lease_hands_the_delivery_to_another(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let late = claim_one(&*store, second(1)).await;
    assert!(claim_all(&*store, second(60)).await.queues.is_empty());
    let taken_over = claim_one(&*store, second(61)).await;
    assert_ne!(late.lease, taken_over.lease);
    assert_eq!(late.due[0].delivery, taken_over.due[0].delivery);
}

async fn a_late_worker_changes_nothing(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let late = claim_one(&*store, second(1)).await;
    let taken_over = claim_one(&*store, second(61)).await;
    let before = store.delivery(id).await.unwrap();

    assert_eq!(store.settle(&[all_done(&late, second(62))]).await.unwrap(), [false]);
    assert_eq!(store.delivery(id).await.unwrap(), before);
    assert!(store.attempts(id).await.unwrap().is_empty());
    assert!(claim_all(&*store, second(63)).await.queues.is_empty(), "the other's lease stands");

    settle(&*store, all_done(&taken_over, second(63))).await;
    assert_eq!(store.settle(&[all_done(&late, second(64))]).await.unwrap(), [false]);
    assert_eq!(store.attempts(id).await.unwrap().len(), 1);
}

async fn an_expired_lease_that_nobody_took_can_still_be_settled(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let slow = claim_one(&*store, second(1)).await;
    settle(&*store, all_done(&slow, second(500))).await;
    assert_eq!(store.delivery(id).await.unwrap().unwrap().state, DeliveryState::Done);
}

async fn a_lease_is_settled_once(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    let retry = settlement(&queue, vec![failed(id, DeliveryState::Pending, second(1))], second(5));
    settle(&*store, retry.clone()).await;
    assert_eq!(store.settle(&[retry.clone(), retry]).await.unwrap(), [false, false]);
    assert_eq!(store.attempts(id).await.unwrap().len(), 1);
}

async fn a_renewed_lease_lasts_longer(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let queue = claim_one(&*store, second(1)).await;
    let leases = [queue.lease.clone()];
    assert_eq!(store.renew(&leases, second(100)).await.unwrap(), leases);
    let claimed = claim_all(&*store, second(99)).await;
    assert!(claimed.queues.is_empty());
    assert_eq!(uids(&claim_one(&*store, second(100)).await.due), ["e1"]);
}

async fn only_leases_that_are_held_are_renewed(store: Home) {
    for key in ["done", "held", "lost", "held too"] {
        accept(&*store, owed(key, key, second(1))).await;
    }
    let mut queues = claim_all(&*store, second(1)).await.queues;
    queues.sort_by(|a, b| a.lease.queue.cmp(&b.lease.queue));
    let leases: Vec<Lease> = queues.iter().map(|queue| queue.lease.clone()).collect();
    let [done, held, held_too, lost] = &leases[..] else { unreachable!("four were claimed") };
    settle(&*store, all_done(&queues[0], second(2))).await;
    assert_eq!(store.renew(&[held_too.clone(), held.clone()], second(900)).await.unwrap().len(), 2);
    assert_eq!(claim_one(&*store, second(70)).await.lease.queue, lost.queue);

    let wanted = [lost.clone(), held_too.clone(), done.clone(), held.clone()];
    assert_eq!(store.renew(&wanted, second(950)).await.unwrap(), [held_too.clone(), held.clone()]);
    assert!(store.renew(&[], second(950)).await.unwrap().is_empty());
}

async fn a_forged_token_changes_nothing(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let never_leased = QueueRef { handler: "mirror".into(), ordering_key: "a".into() };
    let forged = Lease { queue: never_leased, token: LeaseToken::at(second(1)) };
    assert!(store.renew(std::slice::from_ref(&forged), second(900)).await.unwrap().is_empty());
    let settlement = lectern::store::Settlement {
        attempts: vec![done(id, second(1))],
        ..lectern::store::Settlement::untouched(forged, second(1))
    };
    assert_eq!(store.settle(&[settlement]).await.unwrap(), [false]);
    assert_eq!(uids(&claim_one(&*store, second(1)).await.due), ["e1"]);
}

async fn leases_that_end_unsettled_are_counted_until_one_is_settled(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    for (at, lost) in [(1, 0), (61, 1), (121, 2)] {
        assert_eq!(claim_one(&*store, second(at)).await.lost, lost);
    }
    let held = claim_one(&*store, second(181)).await;
    assert_eq!(held.lost, 3);
    store.renew(std::slice::from_ref(&held.lease), second(900)).await.unwrap();
    settle(&*store, settlement(&held, vec![], second(200))).await;
    let held = claim_one(&*store, second(200)).await;
    assert_eq!(held.lost, 3, "one that was given back is not lost, and tells nothing of the ones before");
    let tried = failed(held.due[0].delivery.id, DeliveryState::Pending, second(201));
    settle(&*store, settlement(&held, vec![tried], second(210))).await;
    assert_eq!(claim_one(&*store, second(210)).await.lost, 0);
    assert_eq!(claim_one(&*store, second(270)).await.lost, 1);
}
