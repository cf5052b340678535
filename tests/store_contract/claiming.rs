//! Claiming: whose work, how much of it, and which first.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use lectern::model::{DeliveryId, DeliveryState, NewEvent};
use lectern::store::{Claim, Lease, LeaseToken, LeasedQueue, QueueRef, Settlement, StoreError};

use crate::home::Home;
use crate::make::{
    HANDLER, accept, all_done, claim, claim_all, claim_one, failed, microsecond, owed, owed_to, second,
    settle, settlement, uids,
};

crate::on_both_stores![
    a_claim_brings_all_that_a_handler_needs,
    a_handler_gets_its_own_work_only,
    a_queue_is_due_from_the_microsecond_of_its_first_event_on,
    the_longest_due_comes_first,
    a_claim_brings_no_more_than_was_asked_for,
    a_claim_looks_no_further_back_than_it_is_told,
    a_claim_may_begin_with_what_became_due_last,
    what_waits_to_be_tried_again_is_no_news,
    a_claim_tells_when_the_next_queue_is_due,
    a_leased_queue_is_not_claimed_again,
    a_leased_queue_that_grows_stays_leased,
    what_was_leased_and_cannot_be_read_is_given_back,
    a_claim_of_large_bodies_brings_what_fits_and_leaves_the_rest_due,
    a_body_larger_than_what_is_read_at_once_comes_alone,
    eight_claimers_share_the_work_and_no_queue,
];

async fn a_claim_brings_all_that_a_handler_needs(store: Home) {
    let new = owed("e1", "conversation:c1", second(1));
    let ids = accept(&*store, new.clone()).await;
    let claim = claim(second(2));
    let claimed = store.claim(&claim).await.unwrap();

    assert_eq!(claimed.next_due, None);
    assert_eq!(claimed.queues.len(), 1);
    let queue = &claimed.queues[0];
    assert_eq!(queue.lease.queue.handler, HANDLER);
    assert_eq!(queue.lease.queue.ordering_key, "conversation:c1");
    assert_eq!(queue.lease.token, claim.token);
    assert_eq!(queue.due.len(), 1);
    assert_eq!(queue.due[0].event, new.record);
    assert_eq!(queue.due[0].content, new.content);
    assert_eq!(Some(&queue.due[0].delivery), store.delivery(ids[0]).await.unwrap().as_ref());
}

async fn a_handler_gets_its_own_work_only(store: Home) {
    accept(&*store, owed_to(&["mirror", "crm"], "both", "a", second(1))).await;
    accept(&*store, owed_to(&["crm"], "crm only", "a", second(1))).await;
    for (handler, expected) in
        [("mirror", vec!["both"]), ("crm", vec!["both", "crm only"]), ("Mirror", vec![])]
    {
        let claimed = store.claim(&Claim { handler: handler.into(), ..claim(second(2)) }).await.unwrap();
        let got: Vec<_> = claimed.queues.iter().flat_map(|queue| uids(&queue.due)).collect();
        assert_eq!(got, expected);
        assert_eq!(claimed.next_due, None);
    }
}

async fn a_queue_is_due_from_the_microsecond_of_its_first_event_on(store: Home) {
    accept(&*store, owed("e1", "a", microsecond(1000))).await;
    accept(&*store, owed("e2", "a", microsecond(2000))).await;
    let early = claim_all(&*store, microsecond(999)).await;
    assert!(early.queues.is_empty());
    assert_eq!(early.next_due, Some(microsecond(1000)));
    assert_eq!(uids(&claim_one(&*store, microsecond(1000)).await.due), ["e1", "e2"]);
}

async fn the_longest_due_comes_first(store: Home) {
    for (uid, at) in [("c", 3), ("a", 1), ("d", 4), ("b", 2)] {
        accept(&*store, owed(uid, uid, second(at))).await;
    }
    let mut order = Vec::new();
    for _ in 0..2 {
        let claimed = store.claim(&Claim { queues: 2, ..claim(second(9)) }).await.unwrap();
        order.extend(claimed.queues.into_iter().map(|queue| queue.lease.queue.ordering_key));
    }
    assert_eq!(order, ["a", "b", "c", "d"]);
}

async fn a_claim_brings_no_more_than_was_asked_for(store: Home) {
    for queue in 0..5 {
        for n in 0..5 {
            accept(&*store, owed(&format!("{queue}{n}"), &format!("{queue}"), second(queue))).await;
        }
    }
    let some = Claim { queues: 2, deliveries_each: 3, ..claim(second(9)) };
    let claimed = store.claim(&some).await.unwrap();
    let got: Vec<_> = claimed.queues.iter().map(|queue| uids(&queue.due)).collect();
    assert_eq!(got, [["00", "01", "02"], ["10", "11", "12"]]);
    assert_eq!(claimed.next_due, Some(second(2)), "there is more work than was asked for");
}

async fn a_claim_looks_no_further_back_than_it_is_told(store: Home) {
    for (uid, at) in [("long ago", 1), ("of late", 50), ("later", 90)] {
        accept(&*store, owed(uid, uid, second(at))).await;
    }
    let near = Claim { due_from: Some(second(50)), ..claim(second(60)) };
    let claimed = store.claim(&near).await.unwrap();
    assert_eq!(claimed.queues.iter().map(|queue| queue.due_at).collect::<Vec<_>>(), [second(50)]);
    assert_eq!(claimed.next_due, Some(second(90)));
    assert_eq!(uids(&claim_one(&*store, second(60)).await.due), ["long ago"]);
}

async fn a_claim_may_begin_with_what_became_due_last(store: Home) {
    for (uid, at) in [("first", 1), ("last", 50), ("later", 90), ("between", 20)] {
        accept(&*store, owed(uid, uid, second(at))).await;
    }
    let newest = Claim { queues: 2, news_only: true, ..claim(second(60)) };
    let claimed = store.claim(&newest).await.unwrap();
    let got: Vec<_> = claimed.queues.iter().map(|queue| queue.due_at).collect();
    assert_eq!(got, [second(50), second(20)]);
}

async fn what_waits_to_be_tried_again_is_no_news(store: Home) {
    for uid in ["failed", "new"] {
        accept(&*store, owed(uid, uid, second(1))).await;
    }
    let news = |at| Claim { news_only: true, ..claim(second(at)) };
    for queue in claim_all(&*store, second(1)).await.queues {
        let id = queue.due[0].delivery.id;
        let attempts = match uids(&queue.due)[..] {
            ["failed"] => vec![failed(id, DeliveryState::Pending, second(1))],
            _ => Vec::new(),
        };
        settle(&*store, settlement(&queue, attempts, second(2))).await;
    }
    let claimed = store.claim(&news(3)).await.unwrap();
    assert_eq!(claimed.queues.iter().map(|queue| uids(&queue.due)).collect::<Vec<_>>(), [["new"]]);
    settle(&*store, all_done(&claimed.queues[0], second(3))).await;

    // Given back untried, it is as before; tried well, it is new again; so it is when a person wants it.
    let failing = claim_one(&*store, second(4)).await;
    settle(&*store, settlement(&failing, Vec::new(), second(4))).await;
    assert!(store.claim(&news(5)).await.unwrap().queues.is_empty());
    store.replay(failing.due[0].delivery.id, second(5)).await.unwrap();
    let claimed = store.claim(&news(6)).await.unwrap();
    assert_eq!(uids(&claimed.queues[0].due), ["failed"]);
    accept(&*store, owed("next", "failed", second(6))).await;
    settle(&*store, all_done(&claimed.queues[0], second(7))).await;
    assert_eq!(uids(&store.claim(&news(8)).await.unwrap().queues[0].due), ["next"]);
}

async fn a_claim_tells_when_the_next_queue_is_due(store: Home) {
    assert_eq!(claim_all(&*store, second(0)).await.next_due, None);
    for (uid, at) in [("now", 1), ("later", 50), ("last", 500)] {
        accept(&*store, owed(uid, uid, second(at))).await;
    }
    let claimed = claim_all(&*store, second(1)).await;
    assert_eq!(claimed.queues.len(), 1);
    assert_eq!(claimed.next_due, Some(second(50)));
    // What is leased is not announced, by whomever.
    let claimed = claim_all(&*store, second(50)).await;
    assert_eq!(claimed.queues.len(), 1);
    assert_eq!(claimed.next_due, Some(second(500)));
}

async fn a_leased_queue_is_not_claimed_again(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    claim_one(&*store, second(1)).await;
    for now in [second(1), second(60)] {
        assert!(claim_all(&*store, now).await.queues.is_empty());
    }
}

async fn a_leased_queue_that_grows_stays_leased(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    claim_one(&*store, second(1)).await;
    accept(&*store, owed("e2", "a", second(2))).await;
    assert!(claim_all(&*store, second(3)).await.queues.is_empty());
    assert_eq!(uids(&claim_one(&*store, second(61)).await.due), ["e1", "e2"]);
}

async fn what_was_leased_and_cannot_be_read_is_given_back(store: Home) {
    for uid in ["e1", "e2"] {
        accept(&*store, owed(uid, uid, second(1))).await;
    }
    store.place.tamper("UPDATE event_bodies SET headers = 'no list of headers'").await;
    let claim = claim(second(2));
    assert!(matches!(store.claim(&claim).await, Err(StoreError::Failed(_))));
    let settlements = ["e1", "e2"].map(|key| {
        let queue = QueueRef { handler: HANDLER.into(), ordering_key: key.into() };
        Settlement::untouched(Lease { queue, token: claim.token }, second(900))
    });
    assert_eq!(store.settle(&settlements).await.unwrap(), [false, false], "nobody holds the leases");

    store.place.tamper("UPDATE event_bodies SET headers = '[]'").await;
    let queues = claim_all(&*store, second(2)).await.queues;
    assert_eq!(queues.len(), 2, "they are due at once, and not when the lease would have ended");
}

/// An event whose body has so many bytes.
fn large(uid: &str, key: &str, bytes: usize) -> NewEvent {
    let mut event = owed(uid, key, second(1));
    event.content.body = vec![b'x'; bytes].into();
    event
}

async fn a_claim_of_large_bodies_brings_what_fits_and_leaves_the_rest_due(store: Home) {
    const MIB: usize = 1024 * 1024;
    let mut batch: Vec<NewEvent> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .flat_map(|key| (1..=2).map(move |nth| large(&format!("{key}{nth}"), key, MIB)))
        .collect();
    // What comes before a large one is handed out, whether or not that one has room.
    batch.extend([large("g1", "g", 10), large("g2", "g", MIB), large("g3", "g", 10)]);
    store.accept(&batch).await.unwrap();
    let (mut done, mut claims) = (Vec::new(), 0);
    while done.len() < batch.len() {
        let claimed = claim_all(&*store, second(2)).await;
        assert!(claimed.queues.iter().map(LeasedQueue::bytes).sum::<usize>() <= 4 * MIB + 20);
        claims += 1;
        if claims == 1 {
            let got: BTreeSet<_> = claimed.queues.iter().flat_map(|queue| uids(&queue.due)).collect();
            assert_eq!(got.len(), 5, "the first ones of four queues, and a small one: {got:?}");
            assert!(got.iter().all(|uid| uid.ends_with('1')), "{got:?}");
            assert_eq!(claimed.next_due, Some(second(1)), "the others are due");
        }
        for queue in &claimed.queues {
            done.extend(uids(&queue.due).iter().map(ToString::to_string));
            settle(&*store, all_done(queue, second(2))).await;
        }
    }
    assert_eq!(claims, 4);
    for key in ["a", "b", "c", "d", "e", "f", "g"] {
        let order: Vec<_> = done.iter().filter(|uid| uid.starts_with(key)).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
}

async fn a_body_larger_than_what_is_read_at_once_comes_alone(store: Home) {
    const SIZE: usize = 5 * 1024 * 1024;
    let batch = ["a", "b"].map(|key| large(key, key, SIZE));
    store.accept(&batch).await.unwrap();
    let one = claim_one(&*store, second(2)).await;
    assert_eq!(one.due[0].content.body.len(), SIZE);
    assert_ne!(claim_one(&*store, second(2)).await.lease.queue, one.lease.queue, "the other is still due");
}

async fn eight_claimers_share_the_work_and_no_queue(store: Home) {
    let batch: Vec<_> = (0..200).map(|n| owed(&format!("{n}"), &format!("{n}"), second(1))).collect();
    store.accept(&batch).await.unwrap();
    let stores = [store.share(), store.another_server().await];
    let claimers = (0..8).map(|claimer| {
        let store = Arc::clone(&stores[claimer % 2]);
        tokio::spawn(async move {
            let mut got: Vec<DeliveryId> = Vec::new();
            loop {
                let token = LeaseToken::at(second(2));
                let claimed = store.claim(&Claim { queues: 7, token, ..claim(second(2)) }).await.unwrap();
                got.extend(claimed.queues.iter().flat_map(|queue| &queue.due).map(|due| due.delivery.id));
                // Nothing was left but what the others are at.
                if claimed.queues.is_empty() && claimed.next_due.is_none_or(|due| due > second(2)) {
                    return got;
                }
            }
        })
    });
    let got: Vec<DeliveryId> = join_all(claimers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(got.len(), 200, "none twice");
    let expected: BTreeSet<_> = batch.iter().map(|event| event.deliveries[0].id).collect();
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), expected, "none left");
}
