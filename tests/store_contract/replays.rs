//! Replays of many deliveries.

use std::time::Duration;

use lectern::model::{
    DeliveryFilter, DeliveryId, DeliveryState, EventFilter, PageRequest, Replay, ReplayId, ReplayState,
};
use lectern::store::{LeaseToken, Portion, Reopened, ReplayLease, Settlement, Store};

use crate::home::Home;
use crate::make::{
    accept, all_done, assert_no_work_is_left, claim_all, claim_one, do_all, failed, first, owed, owed_to,
    second, settle, settlement, uids,
};

crate::on_both_stores![
    a_replay_comes_back_as_it_was_added,
    replays_are_listed_newest_first_and_by_pages,
    a_replay_opens_dead_deliveries_oldest_first_in_portions,
    a_replay_opens_done_deliveries_where_it_is_asked_to,
    what_is_closed_after_a_replay_was_asked_for_stays_closed,
    what_dies_again_is_not_replayed_for_ever,
    a_replayed_delivery_keeps_its_place_in_its_queue,
    a_replay_adds_to_a_queue_that_somebody_is_at,
    a_replay_lets_the_queues_go_on_that_were_parked_by_what_it_opens,
    a_replay_is_of_what_the_list_shows,
    a_replay_looks_at_no_more_than_a_bounded_number_at_a_time,
    a_replay_begins_where_what_it_means_does,
    a_replay_is_leased_by_one_at_a_time,
    a_lease_that_ends_now_hands_a_replay_to_another,
    a_late_process_opens_nothing,
    a_cancelled_replay_opens_nothing_more,
    a_replay_that_has_ended_is_not_cancelled,
    a_replay_goes_on_in_a_store_that_is_opened_again,
    two_replays_of_the_same_deliveries_open_each_once,
    a_replay_of_nothing_is_through_at_once,
];

/// A replay of dead deliveries, asked for at a second.
fn dead_ones(at: i64) -> Replay {
    let filter = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    Replay::new(filter, 50, Some(7), "laptop".into(), second(at))
}

/// The same, of done ones, too.
fn closed_ones(at: i64) -> Replay {
    Replay { filter: DeliveryFilter::default(), ..dead_ones(at) }
}

fn token(number: u128) -> LeaseToken {
    LeaseToken(uuid::Uuid::from_u128(number))
}

fn lease(by: u128, from: i64, until: i64) -> ReplayLease {
    ReplayLease { token: token(by), now: second(from), until: second(until) }
}

fn portion(replay: &Replay, by: u128, at_most: u32, now: i64) -> Portion {
    Portion { replay: replay.id, token: token(by), at_most, now: second(now) }
}

/// Adds a replay and leases it for long, by the number 1.
async fn begin(store: &dyn Store, replay: &Replay) {
    store.add_replay(replay).await.unwrap();
    let at = replay.created_at;
    let lease = ReplayLease { token: token(1), now: at, until: at + Duration::from_secs(100_000) };
    assert!(store.lease_replays(&lease).await.unwrap().contains(replay));
}

/// Opens a portion of a replay that the number 1 has leased.
async fn reopen(store: &dyn Store, replay: &Replay, at_most: u32, now: i64) -> (u64, bool) {
    let reopened = store.reopen(&portion(replay, 1, at_most, now)).await.unwrap().unwrap();
    (reopened.number, reopened.is_through)
}

/// Accepts one delivery a queue, and gives all of them up at a second.
async fn some_dead(store: &dyn Store, keys: &[&str], at: i64) -> Vec<DeliveryId> {
    let mut ids = Vec::new();
    for (number, key) in (at..).zip(keys) {
        ids.extend(accept(store, owed(&format!("{key}-{at}"), key, second(number))).await);
    }
    give_up(store, at + 100).await;
    ids
}

/// Claims and gives up the first of whatever is due.
async fn give_up(store: &dyn Store, at: i64) {
    for queue in claim_all(store, second(at)).await.queues {
        let attempts =
            queue.due.iter().map(|due| failed(due.delivery.id, DeliveryState::Dead, second(at))).collect();
        settle(store, settlement(&queue, attempts, second(at))).await;
    }
}

async fn states(store: &dyn Store, ids: &[DeliveryId]) -> Vec<DeliveryState> {
    let mut states = Vec::new();
    for id in ids {
        states.push(store.delivery(*id).await.unwrap().unwrap().state);
    }
    states
}

async fn one(store: &dyn Store, replay: &Replay) -> Replay {
    store.one_replay(replay.id).await.unwrap().unwrap()
}

const OPEN: DeliveryState = DeliveryState::Pending;
const DEAD: DeliveryState = DeliveryState::Dead;

async fn a_replay_comes_back_as_it_was_added(store: Home) {
    let filter = DeliveryFilter {
        state: None,
        handler: Some("crm".into()),
        event_id: Some(lectern::model::EventId::at(second(1))),
        event: EventFilter {
            event_type: Some("message.*".parse().unwrap()),
            source: Some("north".into()),
            location_uid: Some("l".into()),
            conversation_uid: Some("c \"'\\".into()),
            received_after: Some(second(1)),
            received_before: Some(second(2)),
        },
    };
    let replay = Replay::new(filter, 1000, Some(12), "laptop".into(), second(3));
    store.add_replay(&replay).await.unwrap();
    assert_eq!(store.one_replay(replay.id).await.unwrap().as_ref(), Some(&replay));
    let uncounted = Replay { id: ReplayId::at(second(3)), matched: None, ..replay };
    store.add_replay(&uncounted).await.unwrap();
    assert_eq!(store.one_replay(uncounted.id).await.unwrap(), Some(uncounted));
    assert_eq!(store.one_replay(ReplayId::at(second(3))).await.unwrap(), None);
    assert_eq!(store.cancel_replay(ReplayId::at(second(3)), second(4)).await.unwrap(), None);
}

async fn replays_are_listed_newest_first_and_by_pages(store: Home) {
    let replays = [5, 4, 3, 2, 1].map(dead_ones);
    for replay in &replays {
        store.add_replay(replay).await.unwrap();
    }
    assert_eq!(store.replays(first(10)).await.unwrap(), replays);
    let page = PageRequest { limit: 2, below: Some(replays[1].id) };
    assert_eq!(store.replays(page).await.unwrap(), replays[2..4]);
}

async fn a_replay_opens_dead_deliveries_oldest_first_in_portions(store: Home) {
    let ids = some_dead(&*store, &["a", "b", "c", "d", "e"], 1).await;
    let replay = dead_ones(200);
    begin(&*store, &replay).await;
    assert_eq!(store.count_closed(&replay.filter, second(200)).await.unwrap(), Some(5));

    assert_eq!(reopen(&*store, &replay, 2, 201).await, (2, false));
    assert_eq!(states(&*store, &ids).await, [OPEN, OPEN, DEAD, DEAD, DEAD]);
    let opened = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!((opened.opened_at, opened.settled_at), (second(201), None));
    assert_eq!((opened.attempts, opened.failures), (1, 0));
    assert_eq!(one(&*store, &replay).await, Replay { replayed: 2, ..replay.clone() });

    assert_eq!(reopen(&*store, &replay, 2, 202).await, (2, false));
    assert_eq!(reopen(&*store, &replay, 2, 203).await, (1, true));
    assert_eq!(states(&*store, &ids).await, [OPEN; 5]);
    let ended = one(&*store, &replay).await;
    assert_eq!((ended.state, ended.replayed, ended.ended_at), (ReplayState::Done, 5, Some(second(203))));
    assert_eq!(store.reopen(&portion(&replay, 1, 2, 204)).await.unwrap(), None);

    assert_eq!(claim_all(&*store, second(201)).await.queues.len(), 2);
    assert_eq!(claim_all(&*store, second(203)).await.queues.len(), 3);
}

async fn a_replay_opens_done_deliveries_where_it_is_asked_to(store: Home) {
    let dead = some_dead(&*store, &["a"], 1).await;
    let done = accept(&*store, owed("done", "b", second(150))).await;
    do_all(&*store, second(150)).await;
    let open = accept(&*store, owed("open", "c", second(160))).await;
    let opened_at = store.delivery(open[0]).await.unwrap().unwrap().opened_at;

    let only_done = DeliveryFilter { state: Some(DeliveryState::Done), ..DeliveryFilter::default() };
    assert_eq!(store.count_closed(&only_done, second(200)).await.unwrap(), Some(1));
    let replay = Replay { filter: only_done, ..closed_ones(200) };
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 10, 201).await, (1, true));
    assert_eq!(states(&*store, &[done[0], dead[0]]).await, [OPEN, DEAD]);

    do_all(&*store, second(202)).await;
    assert_eq!(store.count_closed(&DeliveryFilter::default(), second(300)).await.unwrap(), Some(3));
    let all = closed_ones(300);
    begin(&*store, &all).await;
    assert_eq!(reopen(&*store, &all, 10, 301).await, (3, true));
    let open = store.delivery(open[0]).await.unwrap().unwrap();
    assert_ne!(open.opened_at, opened_at);
}

async fn what_is_closed_after_a_replay_was_asked_for_stays_closed(store: Home) {
    let early = some_dead(&*store, &["a"], 1).await;
    let replay = closed_ones(101);
    begin(&*store, &replay).await;
    // Attempts last a second: the first was closed at the 102nd. (Of two moments that are the same, it is before.)
    assert_eq!(store.count_closed(&replay.filter, second(101)).await.unwrap(), Some(0));
    let replay = closed_ones(102);
    begin(&*store, &replay).await;
    let late = some_dead(&*store, &["b"], 103).await;
    assert_eq!(store.count_closed(&replay.filter, second(102)).await.unwrap(), Some(1));
    assert_eq!(reopen(&*store, &replay, 10, 300).await, (1, true));
    assert_eq!(states(&*store, &[early[0], late[0]]).await, [OPEN, DEAD]);
}

async fn what_dies_again_is_not_replayed_for_ever(store: Home) {
    let ids = some_dead(&*store, &["a", "b", "c"], 1).await;
    let replay = dead_ones(200);
    begin(&*store, &replay).await;
    let mut opened = 0;
    for now in 300.. {
        let (number, is_through) = reopen(&*store, &replay, 1, now).await;
        opened += number;
        give_up(&*store, now).await;
        if is_through {
            break;
        }
    }
    assert_eq!(opened, 3);
    assert_eq!(states(&*store, &ids).await, [DEAD; 3]);
    for id in ids {
        assert_eq!(store.delivery(id).await.unwrap().unwrap().attempts, 2);
    }
}

async fn a_replayed_delivery_keeps_its_place_in_its_queue(store: Home) {
    for (uid, at) in [("e1", 1), ("e2", 2), ("e3", 3)] {
        accept(&*store, owed(uid, "a", second(at))).await;
    }
    give_up(&*store, 5).await;
    accept(&*store, owed("later", "a", second(6))).await;
    let replay = dead_ones(10);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 2, 11).await, (2, false));
    let queue = claim_one(&*store, second(11)).await;
    assert_eq!(uids(&queue.due), ["e1", "e2", "later"]);
    settle(&*store, settlement(&queue, vec![], second(11))).await;
    assert_eq!(reopen(&*store, &replay, 2, 12).await, (1, true));
    let queue = claim_one(&*store, second(12)).await;
    assert_eq!(uids(&queue.due), ["e1", "e2", "e3", "later"]);
    settle(&*store, all_done(&queue, second(13))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_replay_adds_to_a_queue_that_somebody_is_at(store: Home) {
    accept(&*store, owed("e1", "a", second(1))).await;
    give_up(&*store, 2).await;
    accept(&*store, owed("e2", "a", second(3))).await;
    let held = claim_one(&*store, second(3)).await;
    let replay = dead_ones(10);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 10, 11).await, (1, true));
    assert!(claim_all(&*store, second(12)).await.queues.is_empty(), "the lease stands");
    settle(&*store, all_done(&held, second(13))).await;
    let queue = claim_one(&*store, second(13)).await;
    assert_eq!(uids(&queue.due), ["e1"]);
    settle(&*store, all_done(&queue, second(14))).await;
    assert_no_work_is_left(&*store).await;
}

async fn a_replay_lets_the_queues_go_on_that_were_parked_by_what_it_opens(store: Home) {
    for key in ["a", "b"] {
        accept(&*store, owed(&format!("{key}1"), key, second(1))).await;
        accept(&*store, owed(&format!("{key}2"), key, second(1))).await;
    }
    for queue in claim_all(&*store, second(2)).await.queues {
        let id = queue.due[0].delivery.id;
        let dead = settlement(&queue, vec![failed(id, DEAD, second(2))], second(2));
        settle(&*store, Settlement { parked_by: Some(id), ..dead }).await;
    }
    let replay = dead_ones(10);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 1, 11).await, (1, false));
    let queue = claim_one(&*store, second(11)).await;
    let key = queue.lease.queue.ordering_key.clone();
    assert_eq!(uids(&queue.due), [format!("{key}1"), format!("{key}2")]);
    settle(&*store, all_done(&queue, second(12))).await;
    assert!(claim_all(&*store, second(1000)).await.queues.is_empty(), "the other still waits");
    assert_eq!(reopen(&*store, &replay, 1, 13).await, (1, false));
    assert_eq!(claim_one(&*store, second(13)).await.due.len(), 2);
}

async fn a_replay_is_of_what_the_list_shows(store: Home) {
    for n in 0..24_i64 {
        let mut event = owed_to(&["mirror", "crm"], &n.to_string(), &n.to_string(), second(n));
        let at = usize::try_from(n).unwrap();
        event.record.event_type = ["message.received", "review.created"][at % 2].into();
        event.record.source = ["default", "other"][at / 2 % 2].into();
        event.record.conversation_uid = (n % 3 > 0).then(|| format!("c{}", n % 3));
        event.record.location_uid = (n % 5 > 0).then(|| format!("l{}", n % 5));
        accept(&*store, event).await;
    }
    give_up(&*store, 100).await;
    for set in 0..64_u32 {
        let at = 1000 + i64::from(set) * 10;
        let is_set = |condition: u32| set & (1 << condition) > 0;
        let filter = DeliveryFilter {
            state: Some(DEAD),
            handler: is_set(0).then(|| "mirror".into()),
            event_id: None,
            event: EventFilter {
                event_type: is_set(1).then(|| "message.*".parse().unwrap()),
                source: is_set(2).then(|| "other".into()),
                location_uid: is_set(3).then(|| "l3".into()),
                conversation_uid: is_set(4).then(|| "c1".into()),
                received_after: is_set(5).then(|| second(5)),
                received_before: is_set(5).then(|| second(20)),
            },
        };
        let mut listed: Vec<DeliveryId> =
            store.deliveries(&filter, first(100)).await.unwrap().iter().map(|delivery| delivery.id).collect();
        let replay = Replay { filter, ..dead_ones(at) };
        assert_eq!(store.count_closed(&replay.filter, second(at)).await.unwrap(), Some(listed.len() as u64));
        begin(&*store, &replay).await;
        assert_eq!(
            reopen(&*store, &replay, 100, at).await,
            (listed.len() as u64, true),
            "{:?}",
            replay.filter
        );

        let open =
            DeliveryFilter { state: Some(OPEN), handler: Some("mirror".into()), ..DeliveryFilter::default() };
        let mut opened: Vec<DeliveryId> =
            store.deliveries(&open, first(100)).await.unwrap().iter().map(|delivery| delivery.id).collect();
        listed.retain(|id| opened.contains(id) || !is_set(0));
        opened.retain(|id| listed.contains(id));
        if is_set(0) {
            assert_eq!(opened, listed, "{:?}", replay.filter);
        }
        give_up(&*store, at).await;
    }
}

async fn a_replay_looks_at_no_more_than_a_bounded_number_at_a_time(store: Home) {
    let many = i64::from(Portion::LOOKED_AT) + 500;
    let mut events: Vec<_> = (0..many).map(|n| owed(&n.to_string(), "a", second(n))).collect();
    events.last_mut().unwrap().record.conversation_uid = Some("wanted".into());
    store.accept(&events).await.unwrap();
    let queue = {
        let all = lectern::store::Claim { deliveries_each: 5000, ..crate::make::claim(second(many)) };
        store.claim(&all).await.unwrap().queues.remove(0)
    };
    settle(&*store, all_done(&queue, second(many))).await;
    let filter = DeliveryFilter {
        event: EventFilter { conversation_uid: Some("wanted".into()), ..EventFilter::default() },
        ..DeliveryFilter::default()
    };
    let replay = Replay { filter, ..closed_ones(many + 10) };
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 10, many + 11).await, (0, false));
    assert_eq!(reopen(&*store, &replay, 10, many + 12).await, (1, true));
    assert_eq!(uids(&claim_one(&*store, second(many + 12)).await.due), [(many - 1).to_string()]);
}

async fn a_replay_begins_where_what_it_means_does(store: Home) {
    // Hours of deliveries that are not meant, more than one portion looks at.
    let many = i64::from(Portion::LOOKED_AT) + 500;
    let end = many * 10;
    let mut events: Vec<_> = (0..many).map(|n| owed(&n.to_string(), "a", second(n * 10))).collect();
    // The last was made by a clock that was slow.
    events.last_mut().unwrap().deliveries[0].id = DeliveryId::at(second(end - 10 - 1800));
    let last = events.last().unwrap().record.id;
    store.accept(&events).await.unwrap();
    let of_late = EventFilter { received_after: Some(second(end - 10)), ..EventFilter::default() };
    for (filter, at) in [
        (DeliveryFilter { event: of_late, ..DeliveryFilter::default() }, end),
        (DeliveryFilter { event_id: Some(last), ..DeliveryFilter::default() }, end + 100),
    ] {
        let all = lectern::store::Claim { deliveries_each: 5000, ..crate::make::claim(second(at)) };
        let queue = store.claim(&all).await.unwrap().queues.remove(0);
        settle(&*store, all_done(&queue, second(at))).await;
        let replay = Replay { filter, ..closed_ones(at + 10) };
        begin(&*store, &replay).await;
        assert_eq!(reopen(&*store, &replay, 10, at + 11).await, (1, true), "in the first portion");
    }
}

async fn a_replay_is_leased_by_one_at_a_time(store: Home) {
    let other = store.another_server().await;
    let replays = [dead_ones(1), dead_ones(2)];
    for replay in &replays {
        store.add_replay(replay).await.unwrap();
    }
    assert_eq!(store.lease_replays(&lease(1, 10, 20)).await.unwrap(), replays);
    assert_eq!(other.lease_replays(&lease(2, 11, 30)).await.unwrap(), []);
    assert_eq!(store.lease_replays(&lease(1, 15, 25)).await.unwrap(), replays, "prolonged");
    assert_eq!(other.lease_replays(&lease(2, 24, 30)).await.unwrap(), []);
    assert_eq!(other.lease_replays(&lease(2, 25, 40)).await.unwrap(), replays);
    assert_eq!(store.lease_replays(&lease(1, 26, 50)).await.unwrap(), []);
}

async fn a_lease_that_ends_now_hands_a_replay_to_another(store: Home) {
    let replay = dead_ones(1);
    store.add_replay(&replay).await.unwrap();
    assert_eq!(store.lease_replays(&lease(1, 10, 100)).await.unwrap().len(), 1);
    store.lease_replays(&lease(1, 20, 20)).await.unwrap();
    assert_eq!(store.lease_replays(&lease(2, 20, 100)).await.unwrap(), [replay]);
}

async fn a_late_process_opens_nothing(store: Home) {
    let ids = some_dead(&*store, &["a", "b"], 1).await;
    let replay = dead_ones(200);
    store.add_replay(&replay).await.unwrap();
    assert_eq!(store.reopen(&portion(&replay, 1, 1, 201)).await.unwrap(), None, "it has leased nothing");
    store.lease_replays(&lease(1, 201, 210)).await.unwrap();
    assert_eq!(reopen(&*store, &replay, 1, 202).await, (1, false));
    store.lease_replays(&lease(2, 210, 220)).await.unwrap();
    assert_eq!(store.reopen(&portion(&replay, 1, 1, 211)).await.unwrap(), None);
    assert_eq!(states(&*store, &ids).await, [OPEN, DEAD]);
    let other = store.reopen(&portion(&replay, 2, 5, 212)).await.unwrap();
    assert_eq!(other, Some(Reopened { number: 1, is_through: true }), "it goes on where the first was");
}

async fn a_cancelled_replay_opens_nothing_more(store: Home) {
    let ids = some_dead(&*store, &["a", "b"], 1).await;
    let replay = dead_ones(200);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 1, 201).await, (1, false));
    let cancelled = store.cancel_replay(replay.id, second(202)).await.unwrap().unwrap();
    assert_eq!((cancelled.state, cancelled.ended_at), (ReplayState::Cancelled, Some(second(202))));
    assert_eq!(cancelled.replayed, 1);
    assert_eq!(store.reopen(&portion(&replay, 1, 1, 203)).await.unwrap(), None);
    assert_eq!(store.lease_replays(&lease(1, 203, 300)).await.unwrap(), []);
    assert_eq!(states(&*store, &ids).await, [OPEN, DEAD]);
    let again = store.cancel_replay(replay.id, second(204)).await.unwrap();
    assert_eq!(again, Some(cancelled), "it was cancelled then");
}

async fn a_replay_that_has_ended_is_not_cancelled(store: Home) {
    let replay = dead_ones(200);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 1, 201).await, (0, true));
    let ended = store.cancel_replay(replay.id, second(202)).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.ended_at), (ReplayState::Done, Some(second(201))));
}

async fn a_replay_goes_on_in_a_store_that_is_opened_again(store: Home) {
    let ids = some_dead(&*store, &["a", "b", "c"], 1).await;
    let replay = dead_ones(200);
    begin(&*store, &replay).await;
    assert_eq!(reopen(&*store, &replay, 1, 201).await, (1, false));
    store.close().await;
    let store = store.another().await;
    let expected = Replay { replayed: 1, ..replay.clone() };
    assert_eq!(store.lease_replays(&lease(2, 200_000, 200_010)).await.unwrap(), [expected]);
    let reopened = store.reopen(&portion(&replay, 2, 10, 200_001)).await.unwrap();
    assert_eq!(reopened, Some(Reopened { number: 2, is_through: true }));
    assert_eq!(states(&*store, &ids).await, [OPEN; 3]);
}

async fn two_replays_of_the_same_deliveries_open_each_once(store: Home) {
    let other = store.another_server().await;
    for round in 0..5_i64 {
        let at = 1000 * (round + 1);
        let events: Vec<_> =
            (0..100).map(|n| owed(&format!("{round}-{n}"), &format!("{}", n % 7), second(at + n))).collect();
        store.accept(&events).await.unwrap();
        give_up(&*store, at + 200).await;
        let replays = [dead_ones(at + 300), dead_ones(at + 300)];
        for replay in &replays {
            begin(&*store, replay).await;
        }
        let open_all = async |store: &dyn Store, replay: &Replay| {
            let mut opened = 0;
            loop {
                let (number, is_through) = reopen(store, replay, 9, at + 301).await;
                opened += number;
                if is_through {
                    return opened;
                }
            }
        };
        let (one, two) = tokio::join!(open_all(&*store, &replays[0]), open_all(&*other, &replays[1]));
        assert_eq!(one + two, 100);
        let queues = claim_all(&*store, second(at + 301)).await.queues;
        assert_eq!(queues.iter().map(|queue| queue.due.len()).sum::<usize>(), 100);
        store
            .settle(&queues.iter().map(|queue| all_done(queue, second(at + 302))).collect::<Vec<_>>())
            .await
            .unwrap();
        assert_no_work_is_left(&*store).await;
    }
}

async fn a_replay_of_nothing_is_through_at_once(store: Home) {
    for replay in [dead_ones(5), closed_ones(6)] {
        begin(&*store, &replay).await;
        assert_eq!(reopen(&*store, &replay, 1, 6).await, (0, true));
        assert_eq!(one(&*store, &replay).await.state, ReplayState::Done);
    }
}
