//! Forgetting by age, and never what is still owed.

use lectern::model::{DeliveryFilter, DeliveryState, EventFilter};

use crate::home::Home;
use crate::make::{
    accept, assert_no_work_is_left, claim_one, do_all, event, failed, first, microsecond, owed, owed_to,
    second, settle, settlement,
};

crate::on_both_stores![
    events_before_the_moment_are_forgotten_with_all_that_follows_from_them,
    no_more_are_forgotten_than_was_asked_for_the_oldest_first,
    an_event_with_an_open_delivery_is_kept,
    a_dead_delivery_does_not_keep_its_event,
    what_was_forgotten_can_be_accepted_again,
    a_delivery_that_is_opened_again_meanwhile_is_kept_or_gone_as_a_whole,
];

async fn events_before_the_moment_are_forgotten_with_all_that_follows_from_them(store: Home) {
    let old = owed("old", "a", microsecond(999));
    let young = owed("young", "b", microsecond(1000));
    let old_delivery = accept(&*store, old.clone()).await[0];
    let young_delivery = accept(&*store, young.clone()).await[0];
    do_all(&*store, second(1)).await;

    assert_eq!(store.forget_before(microsecond(1000), 100).await.unwrap(), 1);
    assert_eq!(store.event(old.record.id).await.unwrap(), None);
    assert!(store.contents(&[old.record.id]).await.unwrap().is_empty());
    assert_eq!(store.delivery(old_delivery).await.unwrap(), None);
    assert!(store.attempts(old_delivery).await.unwrap().is_empty());
    assert_eq!(store.replay(old_delivery, second(2)).await.unwrap(), None);
    assert_eq!(
        store.events(&EventFilter::default(), first(10)).await.unwrap(),
        std::slice::from_ref(&young.record)
    );
    assert_eq!(store.contents(&[young.record.id]).await.unwrap().len(), 1);
    assert_eq!(store.attempts(young_delivery).await.unwrap().len(), 1);
}

async fn no_more_are_forgotten_than_was_asked_for_the_oldest_first(store: Home) {
    for n in 0..10 {
        accept(&*store, event(&n.to_string(), second(n))).await;
    }
    assert_eq!(store.forget_before(second(8), 5).await.unwrap(), 5);
    let left = store.events(&EventFilter::default(), first(10)).await.unwrap();
    assert_eq!(left.last().unwrap().event_uid.as_deref(), Some("5"));
    assert_eq!(store.forget_before(second(8), 5).await.unwrap(), 3);
    assert_eq!(store.forget_before(second(8), 5).await.unwrap(), 0);
    assert_eq!(store.events(&EventFilter::default(), first(10)).await.unwrap().len(), 2);
}

async fn an_event_with_an_open_delivery_is_kept(store: Home) {
    // One of the two handlers is done; the other has not begun, or waits for a retry.
    for uid in ["waits", "retries"] {
        accept(&*store, owed_to(&["mirror", "crm"], uid, uid, second(1))).await;
    }
    do_all(&*store, second(1)).await;
    let crm = lectern::store::Claim { handler: "crm".into(), queues: 1, ..crate::make::claim(second(1)) };
    let queue = store.claim(&crm).await.unwrap().queues.remove(0);
    let retry = failed(queue.due[0].delivery.id, DeliveryState::Pending, second(1));
    settle(&*store, settlement(&queue, vec![retry], second(900))).await;

    accept(&*store, event("nobody's", second(2))).await;
    assert_eq!(store.forget_before(second(1000), 1).await.unwrap(), 1, "those that are kept don't count");
    assert_eq!(store.forget_before(second(1000), 100).await.unwrap(), 0);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(100)).await.unwrap().len(), 4);
}

async fn a_dead_delivery_does_not_keep_its_event(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    settle(&*store, settlement(&queue, vec![failed(id, DeliveryState::Dead, second(1))], second(1))).await;
    assert_eq!(store.forget_before(second(2), 100).await.unwrap(), 1);
    assert_eq!(store.delivery(id).await.unwrap(), None);
}

async fn what_was_forgotten_can_be_accepted_again(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    do_all(&*store, second(1)).await;
    assert_eq!(store.forget_before(second(2), 100).await.unwrap(), 1);
    accept(&*store, owed("e1", "a", second(3))).await;
    do_all(&*store, second(3)).await;
    assert_no_work_is_left(&*store).await;
}

/// Half forgotten, the queue would wait for a delivery that is not there.
async fn a_delivery_that_is_opened_again_meanwhile_is_kept_or_gone_as_a_whole(store: Home) {
    let another = store.another().await;
    for round in 0..40 {
        let now = second(round);
        let batch: Vec<_> = (0..5).map(|n| owed(&format!("{round} {n}"), &format!("{n}"), now)).collect();
        store.accept(&batch).await.unwrap();
        do_all(&*store, now).await;
        let id = batch[2].deliveries[0].id;

        let (replayed, forgotten) = if round % 2 == 0 {
            tokio::join!(store.replay(id, now), another.forget_before(second(round + 1), 100))
        } else {
            let (forgotten, replayed) =
                tokio::join!(another.forget_before(second(round + 1), 100), store.replay(id, now));
            (replayed, forgotten)
        };
        match replayed.unwrap() {
            Some(replayed) if store.event(replayed.event_id).await.unwrap().is_some() => {
                assert_eq!(forgotten.unwrap(), 4);
                assert_eq!(claim_one(&*store, now).await.due[0].delivery, replayed);
                do_all(&*store, now + std::time::Duration::from_secs(60)).await;
                assert_eq!(store.forget_before(second(round + 1), 100).await.unwrap(), 1);
            }
            _ => assert_eq!(forgotten.unwrap(), 5),
        }
        assert_no_work_is_left(&*store).await;
    }
}
