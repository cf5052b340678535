//! Queues that wait for a person, and what a person does about it.

use lectern::model::{Backlog, Delivery, DeliveryId, DeliveryState, Queue};
use lectern::store::{QueueRef, Settlement, Store};

use crate::home::Home;
use crate::make::{
    HANDLER, accept, all_done, assert_no_work_is_left, claim_all, claim_one, done, failed, forget_before,
    owed, second, settle, settlement, uids,
};

crate::on_both_stores![
    a_parked_queue_keeps_later_deliveries_until_its_dead_one_is_replayed,
    a_parked_queue_goes_on_without_its_dead_one_once_that_is_called_done,
    a_queue_with_nothing_left_is_parked_too_and_keeps_what_comes,
    a_parked_queue_with_nothing_left_ends_when_its_dead_one_is_called_done,
    a_parked_queue_does_what_is_replayed_first,
    another_delivery_of_a_parked_queue_does_not_let_it_go_on,
    what_was_done_before_the_dead_one_is_settled_with_it,
    a_parked_queue_is_counted_and_shown,
    a_dead_delivery_is_done_with_the_reason_why,
    a_delivery_that_is_not_dead_is_not_called_done,
    a_note_goes_with_a_replay,
    what_a_queue_waits_for_is_not_forgotten,
];

/// Settles the only queue that is due: its first delivery is dead, and the queue waits for it.
async fn park(store: &dyn Store, at: i64) -> DeliveryId {
    let queue = claim_one(store, second(at)).await;
    let id = queue.due[0].delivery.id;
    let dead = settlement(&queue, vec![failed(id, DeliveryState::Dead, second(at))], second(at));
    settle(store, Settlement { parked_by: Some(id), ..dead }).await;
    id
}

async fn assert_it_waits(store: &dyn Store) {
    let claimed = claim_all(store, second(1_000_000)).await;
    assert!(claimed.queues.is_empty(), "it waits for a person");
    assert_eq!(claimed.next_due, None);
}

async fn state(store: &dyn Store, id: DeliveryId) -> Delivery {
    store.delivery(id).await.unwrap().unwrap()
}

async fn a_parked_queue_keeps_later_deliveries_until_its_dead_one_is_replayed(store: Home) {
    for uid in ["e1", "e2"] {
        accept(&*store, owed(uid, "a", second(1))).await;
    }
    let dead = park(&*store, 2).await;
    assert_it_waits(&*store).await;
    accept(&*store, owed("e3", "a", second(3))).await;
    assert_it_waits(&*store).await;
    accept(&*store, owed("other", "b", second(3))).await;
    let other = claim_one(&*store, second(4)).await;
    assert_eq!(uids(&other.due), ["other"], "other queues flow");
    settle(&*store, all_done(&other, second(4))).await;

    store.replay(dead, second(5)).await.unwrap();
    let queue = claim_one(&*store, second(5)).await;
    assert_eq!(uids(&queue.due), ["e1", "e2", "e3"]);
    settle(&*store, all_done(&queue, second(6))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_parked_queue_goes_on_without_its_dead_one_once_that_is_called_done(store: Home) {
    for uid in ["e1", "e2"] {
        accept(&*store, owed(uid, "a", second(1))).await;
    }
    let dead = park(&*store, 2).await;
    store.resolve(dead, "done by hand", second(5)).await.unwrap();
    let queue = claim_one(&*store, second(5)).await;
    assert_eq!(uids(&queue.due), ["e2"]);
    settle(&*store, all_done(&queue, second(6))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_queue_with_nothing_left_is_parked_too_and_keeps_what_comes(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let dead = park(&*store, 2).await;
    accept(&*store, owed("e2", "a", second(3))).await;
    assert_it_waits(&*store).await;
    store.replay(dead, second(4)).await.unwrap();
    let queue = claim_one(&*store, second(4)).await;
    assert_eq!(uids(&queue.due), ["e1", "e2"]);
    settle(&*store, all_done(&queue, second(5))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_parked_queue_with_nothing_left_ends_when_its_dead_one_is_called_done(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let dead = park(&*store, 2).await;
    store.resolve(dead, "done by hand", second(3)).await.unwrap();
    assert_eq!(store.backlog().await.unwrap(), []);
    accept(&*store, owed("e2", "a", second(4))).await;
    let queue = claim_one(&*store, second(4)).await;
    assert_eq!(uids(&queue.due), ["e2"]);
    settle(&*store, all_done(&queue, second(5))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_parked_queue_does_what_is_replayed_first(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let dead = park(&*store, 2).await;
    store.replay(dead, second(3)).await.unwrap();
    // Given up once more: it is parked once more.
    assert_eq!(park(&*store, 4).await, dead);
    accept(&*store, owed("e2", "a", second(5))).await;
    assert_it_waits(&*store).await;
}

async fn another_delivery_of_a_parked_queue_does_not_let_it_go_on(store: Home) {
    let before = accept(&*store, owed("before", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    settle(&*store, settlement(&queue, vec![failed(before, DeliveryState::Dead, second(1))], second(1)))
        .await;
    accept(&*store, owed("e1", "a", second(2))).await;
    let dead = park(&*store, 3).await;

    store.replay(before, second(4)).await.unwrap();
    assert_it_waits(&*store).await;
    store.replay(dead, second(5)).await.unwrap();
    assert_eq!(uids(&claim_one(&*store, second(5)).await.due), ["before", "e1"]);
}

async fn what_was_done_before_the_dead_one_is_settled_with_it(store: Home) {
    for uid in ["e1", "e2", "e3"] {
        accept(&*store, owed(uid, "a", second(1))).await;
    }
    let queue = claim_one(&*store, second(2)).await;
    let [first, dead] = [&queue.due[0], &queue.due[1]].map(|due| due.delivery.id);
    let attempts = vec![done(first, second(2)), failed(dead, DeliveryState::Dead, second(3))];
    settle(&*store, Settlement { parked_by: Some(dead), ..settlement(&queue, attempts, second(3)) }).await;
    assert_eq!(state(&*store, first).await.state, DeliveryState::Done);
    store.resolve(dead, "skipped", second(4)).await.unwrap();
    assert_eq!(uids(&claim_one(&*store, second(4)).await.due), ["e3"]);
}

async fn a_parked_queue_is_counted_and_shown(store: Home) {
    let queue = QueueRef { handler: HANDLER.into(), ordering_key: "a".into() };
    assert_eq!(store.queue(&queue).await.unwrap(), None);
    accept(&*store, owed("e1", "a", second(1))).await;
    let open = Queue { pending: 1, due_at: second(1), parked_by: None };
    assert_eq!(store.queue(&queue).await.unwrap(), Some(open));
    let dead = park(&*store, 2).await;
    accept(&*store, owed("e2", "a", second(3))).await;
    let parked = store.queue(&queue).await.unwrap().unwrap();
    assert_eq!((parked.pending, parked.parked_by), (1, Some(dead)));
    let backlog = Backlog { handler: HANDLER.into(), open: 1, parked: 1, dead: 1, oldest_due_at: None };
    assert_eq!(store.backlog().await.unwrap(), [backlog]);
    assert_eq!(store.oldest_open().await.unwrap(), [], "what waits for a person is told of as parked");
}

async fn a_dead_delivery_is_done_with_the_reason_why(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let dead = park(&*store, 2).await;
    let resolved = store.resolve(dead, "told them by\0telephone", second(9)).await.unwrap().unwrap();
    assert_eq!(resolved.state, DeliveryState::Done);
    assert_eq!((resolved.attempts, resolved.failures), (1, 1));
    assert_eq!(resolved.settled_at, Some(second(9)));
    assert_eq!(resolved.note.as_deref(), Some("told them by\u{fffd}telephone"));
    assert_eq!(state(&*store, dead).await, resolved);
}

async fn a_delivery_that_is_not_dead_is_not_called_done(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let open = state(&*store, id).await;
    assert_eq!(store.resolve(id, "no", second(2)).await.unwrap(), Some(open));
    let queue = claim_one(&*store, second(2)).await;
    settle(&*store, all_done(&queue, second(2))).await;
    let done = state(&*store, id).await;
    assert_eq!(store.resolve(id, "no", second(9)).await.unwrap(), Some(done));
    assert_eq!(store.resolve(DeliveryId::at(second(1)), "no", second(9)).await.unwrap(), None);
    assert_no_work_is_left(&*store).await;
}

async fn a_note_goes_with_a_replay(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    let dead = park(&*store, 2).await;
    store.resolve(dead, "by hand", second(3)).await.unwrap();
    assert_eq!(store.replay(dead, second(4)).await.unwrap().unwrap().note, None);
}

async fn what_a_queue_waits_for_is_not_forgotten(store: Home) {
    let event = owed("e1", "a", second(1));
    let id = event.record.id;
    accept(&*store, event).await;
    let dead = park(&*store, 2).await;
    assert_eq!(forget_before(&*store, second(100), 10).await.unwrap(), 0);
    assert!(store.event(id).await.unwrap().is_some());
    store.resolve(dead, "by hand", second(3)).await.unwrap();
    assert_eq!(forget_before(&*store, second(100), 10).await.unwrap(), 1);
    assert_eq!(store.delivery(dead).await.unwrap(), None);
}
