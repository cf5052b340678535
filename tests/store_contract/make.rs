//! What tests are made of: events, claims and settlements with as few words as possible.

use std::time::Duration;

use jiff::Timestamp;
use lectern::model::{
    AttemptOutcome, Content, DedupKey, DeliveryId, DeliveryState, EventId, EventRecord, Forgettable, Header,
    NewDelivery, NewEvent, PageRequest,
};
use lectern::store::{
    Acceptance, Claim, Claimed, Database, Due, FinishedAttempt, LeaseToken, LeasedQueue, MirrorLease,
    Reached, Settlement, Store, StoreError,
};

/// The handler of tests that need only one.
pub(crate) const HANDLER: &str = "mirror";

/// A second after the beginning of all tests.
pub(crate) fn second(number: i64) -> Timestamp {
    microsecond(number * 1_000_000)
}

pub(crate) fn microsecond(number: i64) -> Timestamp {
    Timestamp::from_microsecond(1_790_000_000_000_000 + number).unwrap()
}

/// An event that nobody is owed.
pub(crate) fn event(uid: &str, received_at: Timestamp) -> NewEvent {
    NewEvent {
        record: EventRecord {
            id: EventId::at(received_at),
            source: "default".into(),
            event_type: "message.received".into(),
            event_uid: Some(uid.into()),
            subject_uid: None,
            conversation_uid: None,
            contact_uid: None,
            location_uid: None,
            organization_uid: None,
            occurred_at: None,
            received_at,
            verified_by: Some("current".into()),
            decode_error: None,
            origin: lectern::model::Origin::Webhook,
        },
        dedup_key: DedupKey::of_uid("default", uid),
        content: Content {
            headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
            body: format!(r#"{{"uid":"{uid}"}}"#).into(),
        },
        deliveries: Vec::new(),
    }
}

/// An event that one handler is owed, in the queue `ordering_key`.
pub(crate) fn owed(uid: &str, ordering_key: &str, received_at: Timestamp) -> NewEvent {
    owed_to(&[HANDLER], uid, ordering_key, received_at)
}

pub(crate) fn owed_to(handlers: &[&str], uid: &str, ordering_key: &str, received_at: Timestamp) -> NewEvent {
    let delivery = |handler: &&str| NewDelivery {
        id: DeliveryId::at(received_at),
        handler: (*handler).into(),
        ordering_key: ordering_key.into(),
        opened_at: received_at,
    };
    NewEvent { deliveries: handlers.iter().map(delivery).collect(), ..event(uid, received_at) }
}

/// Accepts one event that must be new, and returns its deliveries' names.
pub(crate) async fn accept(store: &dyn Store, event: NewEvent) -> Vec<DeliveryId> {
    let answers = store.accept(std::slice::from_ref(&event)).await.unwrap();
    assert_eq!(answers, [Acceptance::Accepted(event.record.id)]);
    event.deliveries.into_iter().map(|delivery| delivery.id).collect()
}

/// A claim of everything that is due at `now`, for a minute.
pub(crate) fn claim(now: Timestamp) -> Claim {
    Claim {
        handler: HANDLER.into(),
        queues: 100,
        deliveries_each: 100,
        token: LeaseToken::at(now),
        now,
        due_from: None,
        news_only: false,
        until: now + Duration::from_secs(60),
    }
}

pub(crate) async fn claim_all(store: &dyn Store, now: Timestamp) -> Claimed {
    store.claim(&claim(now)).await.unwrap()
}

/// Claims the only queue that is due.
pub(crate) async fn claim_one(store: &dyn Store, now: Timestamp) -> LeasedQueue {
    let mut queues = claim_all(store, now).await.queues;
    assert_eq!(queues.len(), 1, "one queue is due");
    queues.remove(0)
}

/// Asserts that nothing is due, neither now nor ever.
pub(crate) async fn assert_no_work_is_left(store: &dyn Store) {
    let claimed = claim_all(store, second(1_000_000)).await;
    assert!(claimed.queues.is_empty(), "left: {:?}", claimed.queues);
    assert_eq!(claimed.next_due, None);
}

/// The uids of a queue's events, in order.
pub(crate) fn uids(due: &[Due]) -> Vec<&str> {
    due.iter().map(|due| due.event.event_uid.as_deref().unwrap()).collect()
}

/// An attempt of one second that ended well.
pub(crate) fn done(delivery: DeliveryId, started_at: Timestamp) -> FinishedAttempt {
    FinishedAttempt {
        delivery,
        state: DeliveryState::Done,
        started_at,
        duration: Duration::from_secs(1),
        outcome: AttemptOutcome::Done,
        status: Some(200),
        output: Some("thank you".into()),
        error: None,
    }
}

/// An attempt of one second that failed, and what follows.
pub(crate) fn failed(delivery: DeliveryId, state: DeliveryState, started_at: Timestamp) -> FinishedAttempt {
    FinishedAttempt {
        state,
        outcome: AttemptOutcome::Failed,
        status: Some(503),
        output: None,
        error: Some("the handler answered 503".into()),
        ..done(delivery, started_at)
    }
}

/// A settlement of a leased queue; what is left of it is due at `due_at`.
pub(crate) fn settlement(
    queue: &LeasedQueue,
    attempts: Vec<FinishedAttempt>,
    due_at: Timestamp,
) -> Settlement {
    Settlement { lease: queue.lease.clone(), attempts, due_at, parked_by: None }
}

/// Settles a queue whose lease must still be held.
pub(crate) async fn settle(store: &dyn Store, settlement: Settlement) {
    assert_eq!(store.settle(&[settlement]).await.unwrap(), [true]);
}

/// Everything that was claimed is done.
pub(crate) fn all_done(queue: &LeasedQueue, at: Timestamp) -> Settlement {
    settlement(queue, queue.due.iter().map(|due| done(due.delivery.id, at)).collect(), at)
}

/// Claims and does whatever is due at `at`.
pub(crate) async fn do_all(store: &dyn Store, at: Timestamp) {
    let settlements: Vec<_> =
        claim_all(store, at).await.queues.iter().map(|queue| all_done(queue, at)).collect();
    assert!(store.settle(&settlements).await.unwrap().into_iter().all(|written| written));
}

/// A whole round, so many at a step. Returns how many went.
pub(crate) async fn round(store: &dyn Database, what: Forgettable, before: Timestamp, at_most: u32) -> u64 {
    let (mut count, mut next) = (0, Some(Reached::default()));
    while let Some(from) = next {
        let some = store.forget_before(what, from, before, at_most).await.unwrap();
        count += some.count;
        next = some.reached;
    }
    count
}

/// Forgets what is before the moment, of events so many at most, with all that they have. Returns how many events went. What is not mirrored
/// would stay.
pub(crate) async fn forget_before(
    store: &dyn Database,
    before: Timestamp,
    at_most: u32,
) -> Result<u64, StoreError> {
    // Whoever was at the mirror before is not any more.
    let lease = MirrorLease {
        token: LeaseToken(uuid::Uuid::from_u128(1)),
        now: second(1_000_000),
        until: second(1_000_001),
    };
    store.lease_mirror(&lease).await?;
    let events: Vec<_> = store.unmirrored(1000).await?.iter().map(|one| one.event.id).collect();
    store.mirror(&crate::mirroring::through(lease.token, &events)).await?;
    for what in [Forgettable::Deliveries, Forgettable::Bodies] {
        round(store, what, before, 1000).await;
    }
    Ok(store.forget_before(Forgettable::Events, Reached::default(), before, at_most).await?.count)
}

/// A page of a list from its beginning.
pub(crate) fn first<K>(limit: u32) -> PageRequest<K> {
    PageRequest { limit, below: None }
}
