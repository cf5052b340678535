//! Accepting: new, known, twice in a batch, many at once, and all or nothing.

use std::sync::Arc;

use futures_util::future::join_all;
use lectern::model::{DedupKey, DeliveryFilter, EventFilter, NewDelivery, NewEvent};
use lectern::store::{Acceptance, StoreError};

use crate::home::Home;
use crate::make::{accept, assert_no_work_is_left, claim_all, event, first, owed, owed_to, second};

crate::on_both_stores![
    a_new_event_is_accepted_with_its_deliveries,
    a_known_event_is_a_duplicate_of_the_first_and_changes_nothing,
    of_one_key_twice_in_a_batch_the_first_is_accepted,
    the_answers_come_in_the_order_of_the_batch,
    of_sixteen_at_once_exactly_one_is_accepted,
    the_very_same_batch_from_many_at_once_is_accepted_once,
    batches_that_meet_in_opposite_order_are_all_accepted,
    a_batch_is_accepted_as_a_whole_or_not_at_all,
    an_empty_batch_is_accepted,
    an_event_that_nobody_is_owed_opens_no_queue,
];

async fn a_new_event_is_accepted_with_its_deliveries(store: Home) {
    let new = owed_to(&["mirror", "crm"], "e1", "conversation:c1", second(1));
    assert_eq!(
        store.accept(std::slice::from_ref(&new)).await.unwrap(),
        [Acceptance::Accepted(new.record.id)]
    );

    assert_eq!(store.event(new.record.id).await.unwrap(), Some(new.record.clone()));
    assert_eq!(store.contents(&[new.record.id]).await.unwrap(), [(new.record.id, new.content)]);
    for expected in &new.deliveries {
        let delivery = store.delivery(expected.id).await.unwrap().unwrap();
        assert_eq!(delivery.event_id, new.record.id);
        assert_eq!(delivery.event_type, "message.received");
        assert_eq!(delivery.handler, expected.handler);
        assert_eq!(delivery.ordering_key, "conversation:c1");
        assert_eq!(delivery.state.as_str(), "pending");
        assert_eq!((delivery.attempts, delivery.failures), (0, 0));
        assert_eq!((delivery.opened_at, delivery.settled_at), (second(1), None));
    }
}

async fn a_known_event_is_a_duplicate_of_the_first_and_changes_nothing(store: Home) {
    let original = owed("e1", "a", second(1));
    accept(&*store, original.clone()).await;
    let mut again = owed("e1", "b", second(2));
    again.content.body = "another".into();

    assert_eq!(store.accept(&[again]).await.unwrap(), [Acceptance::Duplicate(original.record.id)]);
    assert_eq!(
        store.events(&EventFilter::default(), first(10)).await.unwrap(),
        std::slice::from_ref(&original.record)
    );
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(10)).await.unwrap().len(), 1);
    assert_eq!(
        store.contents(&[original.record.id]).await.unwrap(),
        [(original.record.id, original.content.clone())]
    );
    assert_eq!(claim_all(&*store, second(9)).await.queues.len(), 1);
}

async fn of_one_key_twice_in_a_batch_the_first_is_accepted(store: Home) {
    let batch = [owed("e1", "a", second(1)), owed("e1", "a", second(2)), owed("e1", "b", second(3))];
    let original = batch[0].record.id;
    assert_eq!(
        store.accept(&batch).await.unwrap(),
        [Acceptance::Accepted(original), Acceptance::Duplicate(original), Acceptance::Duplicate(original)]
    );
    assert_eq!(store.events(&EventFilter::default(), first(10)).await.unwrap().len(), 1);
    let queues = claim_all(&*store, second(9)).await.queues;
    assert_eq!(queues.len(), 1);
    assert_eq!(queues[0].due.len(), 1);
}

async fn the_answers_come_in_the_order_of_the_batch(store: Home) {
    let old = event("old", second(1));
    accept(&*store, old.clone()).await;
    let batch: Vec<NewEvent> =
        ["n1", "old", "n2", "n1", "n3", "old"].iter().map(|uid| event(uid, second(2))).collect();
    let id = |index: usize| batch[index].record.id;
    assert_eq!(
        store.accept(&batch).await.unwrap(),
        [
            Acceptance::Accepted(id(0)),
            Acceptance::Duplicate(old.record.id),
            Acceptance::Accepted(id(2)),
            Acceptance::Duplicate(id(0)),
            Acceptance::Accepted(id(4)),
            Acceptance::Duplicate(old.record.id),
        ]
    );
}

async fn of_sixteen_at_once_exactly_one_is_accepted(store: Home) {
    let stores = [store.share(), store.another_server().await];
    for round in 0..5 {
        let tasks = (0..16).map(|task| {
            let store = Arc::clone(&stores[task % 2]);
            let batch: Vec<_> =
                (0..4).map(|n| owed(&format!("{round}-{n}"), &format!("{n}"), second(1))).collect();
            tokio::spawn(async move { store.accept(&batch).await.unwrap() })
        });
        let answers: Vec<Vec<Acceptance>> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        for n in 0..4 {
            let accepted: Vec<_> = answers
                .iter()
                .filter_map(|answers| match answers[n] {
                    Acceptance::Accepted(id) => Some(id),
                    Acceptance::Duplicate(_) => None,
                })
                .collect();
            assert_eq!(accepted.len(), 1);
            for answers in &answers {
                let (Acceptance::Accepted(id) | Acceptance::Duplicate(id)) = answers[n];
                assert_eq!(id, accepted[0], "every duplicate names the one that was accepted");
            }
        }
    }
    let claimed = claim_all(&*store, second(9)).await;
    assert_eq!(claimed.queues.iter().map(|queue| queue.due.len()).sum::<usize>(), 20);
}

/// As a caller would that gave up waiting and tries again: the first sending may still be under way.
async fn the_very_same_batch_from_many_at_once_is_accepted_once(store: Home) {
    for round in 0..10 {
        let batch: Vec<_> = (0..8).map(|n| owed(&format!("{round}-{n}"), "a", second(1))).collect();
        let sendings = (0..8).map(|_| {
            let (store, batch) = (store.share(), batch.clone());
            tokio::spawn(async move { store.accept(&batch).await.unwrap() })
        });
        let answers: Vec<_> = join_all(sendings).await.into_iter().flat_map(Result::unwrap).collect();
        let accepted = answers.iter().filter(|answer| matches!(answer, Acceptance::Accepted(_))).count();
        assert_eq!(accepted, 8);
    }
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(1000)).await.unwrap().len(), 80);
}

/// Two that wait for each other's rows would be a deadlock, and one of them ended.
async fn batches_that_meet_in_opposite_order_are_all_accepted(store: Home) {
    let tasks = (0..8).map(|task| {
        let store = store.share();
        tokio::spawn(async move {
            for round in 0..10 {
                let mut batch: Vec<_> = (0..20)
                    .map(|n| owed(&format!("{round}-{n}"), &format!("queue {}", n % 7), second(1)))
                    .collect();
                if task % 2 == 1 {
                    batch.reverse();
                }
                store.accept(&batch).await.unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let claimed = claim_all(&*store, second(9)).await;
    assert_eq!(claimed.queues.len(), 7);
    let page = store.deliveries(&DeliveryFilter::default(), first(1000)).await.unwrap();
    assert_eq!(page.len(), 200);
}

async fn a_batch_is_accepted_as_a_whole_or_not_at_all(store: Home) {
    let there = event("there", second(1));
    accept(&*store, there.clone()).await;
    let mut impossible = owed("e2", "a", second(2));
    // Two deliveries of one name, which no caller makes: the store must refuse them.
    impossible.deliveries.push(NewDelivery { handler: "crm".into(), ..impossible.deliveries[0].clone() });
    let batch = [owed("e1", "a", second(2)), impossible, owed("e3", "b", second(2))];

    let error = store.accept(&batch).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)) && error.is_of_the_data(), "{error:?}");
    assert_eq!(store.events(&EventFilter::default(), first(10)).await.unwrap(), [there.record]);
    assert!(store.deliveries(&DeliveryFilter::default(), first(10)).await.unwrap().is_empty());
    assert_no_work_is_left(&*store).await;

    let [first, _, last] = batch;
    assert_eq!(store.accept(&[first, last]).await.unwrap().len(), 2, "the others can still be accepted");
}

async fn an_empty_batch_is_accepted(store: Home) {
    assert_eq!(store.accept(&[]).await.unwrap(), []);
}

async fn an_event_that_nobody_is_owed_opens_no_queue(store: Home) {
    accept(&*store, event("e1", second(1))).await;
    let mut by_body = event("e2", second(2));
    by_body.dedup_key = DedupKey::of_body("default", &by_body.content.body);
    accept(&*store, by_body).await;
    assert_no_work_is_left(&*store).await;
}
