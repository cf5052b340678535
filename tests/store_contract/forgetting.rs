//! Forgetting by age, and never what is still owed.

use lectern::model::{DeliveryFilter, DeliveryState, EventFilter, Forgettable, NewEvent};
use lectern::store::{Acceptance, Reached};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::home::{Home, Place};
use crate::make::{
    accept, assert_no_work_is_left, claim_all, claim_one, do_all, event, failed, first, forget_before,
    microsecond, owed, owed_to, round, second, settle, settlement,
};
use crate::quarantining::{held, rejected};

crate::on_both_stores![
    events_before_the_moment_are_forgotten_with_all_that_follows_from_them,
    no_more_are_forgotten_than_was_asked_for_the_oldest_first,
    an_event_with_an_open_delivery_is_kept,
    a_dead_delivery_does_not_keep_its_event,
    what_was_forgotten_can_be_accepted_again,
    a_delivery_that_is_opened_again_meanwhile_is_kept_or_gone_as_a_whole,
    each_kind_goes_by_an_age_of_its_own,
    a_body_stays_as_long_as_a_delivery_of_its_event,
    bodies_of_whole_weeks_go_together_or_not_at_all,
    requests_in_quarantine_go_by_their_age_unless_they_are_held,
    two_that_forget_at_once_share_what_there_is,
    what_stays_is_passed_a_bounded_number_at_a_step,
    more_deliveries_of_one_event_than_a_step_looks_at_do_not_hold_it_up,
    what_arrived_with_an_event_is_forgotten_by_name,
    what_is_still_owed_is_not_forgotten_by_name,
];

async fn events_before_the_moment_are_forgotten_with_all_that_follows_from_them(store: Home) {
    let old = owed("old", "a", microsecond(999));
    let young = owed("young", "b", microsecond(1000));
    let old_delivery = accept(&*store, old.clone()).await[0];
    let young_delivery = accept(&*store, young.clone()).await[0];
    do_all(&*store, second(1)).await;

    assert_eq!(forget_before(&*store, microsecond(1000), 100).await.unwrap(), 1);
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
    assert_eq!(forget_before(&*store, second(8), 5).await.unwrap(), 5);
    let left = store.events(&EventFilter::default(), first(10)).await.unwrap();
    assert_eq!(left.last().unwrap().event_uid.as_deref(), Some("5"));
    assert_eq!(forget_before(&*store, second(8), 5).await.unwrap(), 3);
    assert_eq!(forget_before(&*store, second(8), 5).await.unwrap(), 0);
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
    assert_eq!(forget_before(&*store, second(1000), 1).await.unwrap(), 1, "those that are kept don't count");
    assert_eq!(forget_before(&*store, second(1000), 100).await.unwrap(), 0);
    let left = store.deliveries(&DeliveryFilter::default(), first(100)).await.unwrap();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|delivery| delivery.state == DeliveryState::Pending), "{left:?}");
}

async fn a_dead_delivery_does_not_keep_its_event(store: Home) {
    let id = accept(&*store, owed("e1", "a", second(1))).await[0];
    let queue = claim_one(&*store, second(1)).await;
    settle(&*store, settlement(&queue, vec![failed(id, DeliveryState::Dead, second(1))], second(1))).await;
    assert_eq!(forget_before(&*store, second(2), 100).await.unwrap(), 1);
    assert_eq!(store.delivery(id).await.unwrap(), None);
}

async fn what_was_forgotten_can_be_accepted_again(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    do_all(&*store, second(1)).await;
    assert_eq!(forget_before(&*store, second(2), 100).await.unwrap(), 1);
    accept(&*store, owed("e1", "a", second(3))).await;
    do_all(&*store, second(3)).await;
    assert_no_work_is_left(&*store).await;
}

/// Half forgotten, the queue would wait for a delivery that is not there.
async fn a_delivery_that_is_opened_again_meanwhile_is_kept_or_gone_as_a_whole(store: Home) {
    let another = store.another_server().await;
    for round in 0..40 {
        let now = second(round);
        let batch: Vec<_> = (0..5).map(|n| owed(&format!("{round} {n}"), &format!("{n}"), now)).collect();
        store.accept(&batch).await.unwrap();
        do_all(&*store, now).await;
        let id = batch[2].deliveries[0].id;

        let (replayed, forgotten) = if round % 2 == 0 {
            tokio::join!(store.replay(id, now), forget_before(&*another, second(round + 1), 100))
        } else {
            let (forgotten, replayed) =
                tokio::join!(forget_before(&*another, second(round + 1), 100), store.replay(id, now));
            (replayed, forgotten)
        };
        match replayed.unwrap() {
            Some(replayed) if store.event(replayed.event_id).await.unwrap().is_some() => {
                assert_eq!(forgotten.unwrap(), 4);
                assert_eq!(claim_one(&*store, now).await.due[0].delivery, replayed);
                do_all(&*store, now + std::time::Duration::from_secs(60)).await;
                assert_eq!(forget_before(&*store, second(round + 1), 100).await.unwrap(), 1);
            }
            _ => assert_eq!(forgotten.unwrap(), 5),
        }
        assert_no_work_is_left(&*store).await;
    }
}

async fn each_kind_goes_by_an_age_of_its_own(store: Home) {
    let events: Vec<_> = (1..=4).map(|n| owed(&n.to_string(), "a", second(n))).collect();
    let ids: Vec<_> = events.iter().map(|event| event.record.id).collect();
    store.accept(&events).await.unwrap();
    do_all(&*store, second(9)).await;
    all_is_mirrored(&*store, &events).await;
    let count = async |what, before| store.count_before(what, second(before)).await.unwrap();
    let forget = async |what, before| round(&*store, what, second(before), 100).await;
    for (what, before) in [(Forgettable::Deliveries, 4), (Forgettable::Bodies, 3), (Forgettable::Events, 2)] {
        let old = u64::try_from(before).unwrap() - 1;
        assert_eq!(count(what, before).await, old, "{what}");
        assert_eq!(forget(what, before).await, old, "{what}");
        assert_eq!([count(what, before).await, forget(what, before).await], [0, 0], "{what}");
    }
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(9)).await.unwrap().len(), 1);
    assert_eq!(store.contents(&ids).await.unwrap().len(), 2);
    assert_eq!(store.events(&EventFilter::default(), first(9)).await.unwrap().len(), 3);
    // What the ledger still has is recognised.
    let again = store.accept(&[NewEvent { deliveries: Vec::new(), ..events[1].clone() }]).await.unwrap();
    assert_eq!(again, [Acceptance::Duplicate(ids[1])]);
}

async fn a_body_stays_as_long_as_a_delivery_of_its_event(store: Home) {
    let events = [owed("open", "a", second(1)), event("nobody's", second(2)), owed("done", "b", second(3))];
    store.accept(&events).await.unwrap();
    let claimed = lectern::store::Claim { queues: 1, ..crate::make::claim(second(4)) };
    assert_eq!(store.claim(&claimed).await.unwrap().queues.len(), 1);
    all_is_mirrored(&*store, &events).await;
    assert_eq!(round(&*store, Forgettable::Bodies, second(9), 100).await, 1);
    do_all(&*store, second(100)).await;
    assert_eq!(round(&*store, Forgettable::Bodies, second(9), 100).await, 0);
    round(&*store, Forgettable::Deliveries, second(9), 100).await;
    assert_eq!(round(&*store, Forgettable::Bodies, second(9), 100).await, 2);
}

/// In SQLite, where bodies have no weeks, they go one by one.
async fn bodies_of_whole_weeks_go_together_or_not_at_all(store: Home) {
    let day = |number: i64| second(number * 24 * 60 * 60);
    store.make_ready(day(0), day(30)).await.unwrap();
    // A second time there is nothing to make.
    store.another().await.make_ready(day(0), day(30)).await.unwrap();
    let events: Vec<_> =
        (0..30).map(|n| owed(&n.to_string(), if n == 10 { "late" } else { "a" }, day(n))).collect();
    store.accept(&events).await.unwrap();
    let contents = async || {
        let ids: Vec<_> = events.iter().map(|event| event.record.id).collect();
        let mut kept: Vec<_> = store.contents(&ids).await.unwrap().into_iter().map(|(id, _)| id).collect();
        kept.sort();
        kept.iter().map(|id| ids.iter().position(|other| other == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(contents().await, (0..30).collect::<Vec<_>>());
    let claimed = claim_all(&*store, day(31)).await.queues;
    let done: Vec<_> = claimed
        .iter()
        .filter(|queue| queue.lease.queue.ordering_key == "a")
        .map(|queue| crate::make::all_done(queue, day(31)))
        .collect();
    store.settle(&done).await.unwrap();
    round(&*store, Forgettable::Deliveries, day(28), 1000).await;

    // Nothing is mirrored yet: whole or not, no body goes.
    assert_eq!(round(&*store, Forgettable::Bodies, day(27), 1000).await, 0);
    let lease = crate::mirroring::at_the_mirror(&*store).await;
    let ids: Vec<_> = events.iter().map(|event| event.record.id).collect();
    assert!(store.mirror(&crate::mirroring::through(lease, &ids)).await.unwrap());
    round(&*store, Forgettable::Bodies, day(27), 1000).await;
    let left = contents().await;
    match store.place {
        Place::Sqlite { .. } => assert_eq!(left, [10, 27, 28, 29]),
        // Of the week of the open one the others went one by one; the week that is not all old is whole.
        Place::Postgres { .. } => {
            let first = left[1];
            assert!(left[0] == 10 && (21..=27).contains(&first), "{left:?}");
            assert_eq!(left[1..], (first..30).collect::<Vec<_>>());
        }
    }
    // Once it is closed, its week is nothing but a table.
    let late = claim_all(&*store, day(40)).await.queues;
    let late: Vec<_> = late.iter().map(|queue| crate::make::all_done(queue, day(40))).collect();
    store.settle(&late).await.unwrap();
    round(&*store, Forgettable::Deliveries, day(28), 1000).await;
    round(&*store, Forgettable::Bodies, day(27), 1000).await;
    assert!(!contents().await.contains(&10));
}

async fn requests_in_quarantine_go_by_their_age_unless_they_are_held(store: Home) {
    let requests = [held(second(1), 9), rejected(second(2), 9), rejected(second(3), 9)];
    store.quarantine(&requests, lectern::model::QuarantineBounds::new(9, 1 << 20)).await.unwrap();
    assert_eq!(store.count_before(Forgettable::Quarantined, second(3)).await.unwrap(), 2);
    assert_eq!(round(&*store, Forgettable::Quarantined, second(3), 9).await, 1);
    let left = store.quarantined(&lectern::model::QuarantineFilter::default(), first(9)).await.unwrap();
    assert_eq!(left.iter().map(|kept| kept.held).collect::<Vec<_>>(), [false, true], "the newest first");
}

/// What one is at is not what the other waits for, or takes for the end.
async fn two_that_forget_at_once_share_what_there_is(store: Home) {
    let another = store.another_server().await;
    let events: Vec<_> = (0..100).map(|n| owed(&n.to_string(), &n.to_string(), second(n))).collect();
    store.accept(&events).await.unwrap();
    do_all(&*store, second(300)).await;
    let (one, other) = tokio::join!(
        round(&*store, Forgettable::Deliveries, second(300), 3),
        round(&*another, Forgettable::Deliveries, second(300), 3)
    );
    assert_eq!(one + other, 100);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(9)).await.unwrap(), []);
}

/// However much a handler owes that is not there any more.
async fn what_stays_is_passed_a_bounded_number_at_a_step(store: Home) {
    accept(&*store, owed("done", "a", second(5000))).await;
    do_all(&*store, second(5001)).await;
    let open: Vec<_> = (0..1500).map(|n| owed(&n.to_string(), "b", second(n))).collect();
    store.accept(&open).await.unwrap();
    let (mut next, mut steps) = (Some(Reached::default()), Vec::new());
    while let Some(from) = next {
        let step = store.forget_before(Forgettable::Deliveries, from, second(6000), 50).await.unwrap();
        steps.push(step.count);
        next = step.reached;
    }
    assert_eq!(steps, [0, 1]);
}

async fn more_deliveries_of_one_event_than_a_step_looks_at_do_not_hold_it_up(store: Home) {
    let handlers: Vec<String> = (0..1100).map(|n| format!("handler {n}")).collect();
    let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
    accept(&*store, owed_to(&handlers, "e1", "a", second(1))).await;
    accept(&*store, owed("done", "b", second(2))).await;
    do_all(&*store, second(3)).await;
    assert_eq!(round(&*store, Forgettable::Deliveries, second(9), 50).await, 1);
}

/// What a backup or a long question has open.
#[tokio::test]
async fn a_week_that_somebody_uses_is_left_whole_and_that_is_told() {
    let store = Home::in_postgres().await;
    let Place::Postgres { url } = &store.place else { unreachable!("it was opened in PostgreSQL") };
    let day = |number: i64| second(number * 24 * 60 * 60);
    store.make_ready(day(0), day(30)).await.unwrap();
    let events: Vec<_> = (0..3).map(|n| event(&n.to_string(), day(8))).collect();
    store.accept(&events).await.unwrap();
    all_is_mirrored(&*store, &events).await;
    let mut reader = PgConnection::connect(url).await.unwrap();
    reader.execute("BEGIN; SELECT FROM event_bodies").await.unwrap();
    let bodies = Forgettable::Bodies;
    let step = store.forget_before(bodies, Reached::default(), day(28), 100).await.unwrap();
    assert_eq!((step.count, step.reached, step.is_held_up), (0, None, true));
    reader.close().await.unwrap();
    // Not at once again by the same, which would have webhooks wait for it.
    assert_eq!(round(&*store, bodies, day(28), 100).await, 0);
    assert!(round(&*store.another().await, bodies, day(28), 100).await > 0);
}

async fn what_arrived_with_an_event_is_forgotten_by_name(store: Home) {
    let mut unreadable = owed("e1", "a", second(1));
    unreadable.record.decode_error = Some("`data` is \"Ann\"".into());
    let events = [unreadable, owed("e2", "a", second(2)), event("e3", second(3))];
    let ids: Vec<_> = events.iter().map(|event| event.record.id).collect();
    store.accept(&events).await.unwrap();
    do_all(&*store, second(9)).await;
    assert_eq!(store.forget_contents(&[ids[0], ids[2]]).await.unwrap(), []);
    let left: Vec<_> = store.contents(&ids).await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, [ids[1]]);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(9)).await.unwrap().len(), 1);
    assert!(store.attempts(events[0].deliveries[0].id).await.unwrap().is_empty());
    // The ledger knows them still, and says nothing of what was in them.
    assert_eq!(store.event(ids[2]).await.unwrap(), Some(events[2].record.clone()));
    assert_eq!(store.event(ids[0]).await.unwrap().unwrap().decode_error.as_deref(), Some("it was erased"));
    assert_eq!(store.accept(&events[..1]).await.unwrap(), [Acceptance::Duplicate(ids[0])]);
    assert_eq!(store.forget_contents(&ids[..1]).await.unwrap(), [], "it is gone already");
}

async fn what_is_still_owed_is_not_forgotten_by_name(store: Home) {
    let half = owed_to(&["mirror", "crm"], "e1", "a", second(1));
    let parked = owed("e2", "b", second(2));
    let ids = [half.record.id, parked.record.id];
    accept(&*store, half).await;
    do_all(&*store, second(3)).await;
    let dead = accept(&*store, parked).await[0];
    let queue = claim_one(&*store, second(4)).await;
    let mut parking = settlement(&queue, vec![failed(dead, DeliveryState::Dead, second(4))], second(4));
    parking.parked_by = Some(dead);
    settle(&*store, parking).await;

    let mut stay = store.forget_contents(&ids).await.unwrap();
    stay.sort();
    assert_eq!(stay, ids);
    assert_eq!(store.contents(&ids).await.unwrap().len(), 2);
    assert_eq!(store.deliveries(&DeliveryFilter::default(), first(9)).await.unwrap().len(), 3);
    store.resolve(dead, "by hand", second(5)).await.unwrap();
    assert_eq!(store.forget_contents(&ids).await.unwrap(), [ids[0]]);
}

async fn all_is_mirrored(store: &dyn lectern::store::MirrorStore, events: &[NewEvent]) {
    let lease = crate::mirroring::at_the_mirror(store).await;
    let ids: Vec<_> = events.iter().map(|event| event.record.id).collect();
    assert!(store.mirror(&crate::mirroring::through(lease, &ids)).await.unwrap());
}
