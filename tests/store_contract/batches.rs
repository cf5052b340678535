//! Batches: what is written together is written by a few statements, and each part of it must end where it belongs.

use std::collections::HashSet;

use lectern::model::{DeliveryId, DeliveryState, Header, NewEvent};
use lectern::store::{Acceptance, Claim, LeaseToken, LeasedQueue, Settlement, Store};

use crate::home::Home;
use crate::make::{
    HANDLER, all_done, assert_no_work_is_left, claim, claim_all, done, event, failed, owed, owed_to, second,
    settle, settlement, uids,
};

crate::on_both_stores![
    hundreds_of_events_of_any_kind_each_come_back_as_they_were,
    events_without_a_byte_are_accepted_together,
    settlements_of_every_kind_do_not_touch_one_another,
    of_two_leases_of_one_queue_in_a_batch_the_one_that_is_held_counts,
    the_longest_due_are_claimed_first_and_news_the_other_way_round,
];

/// Bytes that look like nothing in particular, the same at each run.
fn bytes(seed: usize, length: usize) -> Vec<u8> {
    let mut state = u32::try_from(seed).unwrap().wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

/// Every third event is known from before or from earlier in the batch; bodies of any bytes and of none, headers in any
/// script, none to three handlers.
async fn hundreds_of_events_of_any_kind_each_come_back_as_they_were(store: Home) {
    let handlers = [HANDLER, "crm", "it's \"quoted\" \\ 📚"];
    let make = |number: usize, uid: usize| {
        let uid = format!("e{uid}");
        let key = format!("conversation:{} é字\u{10ffff}'\"\\\t", number % 7);
        let mut new = owed_to(&handlers[..number % 4], &uid, &key, second(1));
        new.content.body = match number % 5 {
            0 => Vec::new(),
            1 => b"\0".to_vec(),
            2 => vec![0xff, 0xfe, 0, 0x80],
            length => bytes(number, length * number),
        }
        .into();
        let header = |value: String| Header { name: format!("x-{number}"), value };
        new.content.headers = match number % 3 {
            0 => Vec::new(),
            1 => {
                vec![header("\u{0}\u{1}\u{7f}\u{2028} 📚 \"é\" \\u0000".into()), header("字".repeat(number))]
            }
            _ => vec![header(String::new())],
        };
        new
    };
    let before: Vec<NewEvent> = (0..10).map(|number| make(number, number)).collect();
    store.accept(&before).await.unwrap();

    let mut met: HashSet<usize> = (0..10).collect();
    let mut expected = Vec::new();
    let mut batch: Vec<NewEvent> = Vec::new();
    for number in 0..500 {
        let uid = if number % 3 == 0 { number * 7 % 200 } else { 1000 + number };
        let new = make(number, uid);
        let twin = before.iter().chain(&batch).find(|twin| twin.dedup_key == new.dedup_key);
        expected.push(match twin {
            Some(twin) => Acceptance::Duplicate(twin.record.id),
            None => Acceptance::Accepted(new.record.id),
        });
        assert_eq!(met.insert(uid), twin.is_none());
        batch.push(new);
    }
    assert_eq!(store.accept(&batch).await.unwrap(), expected);

    let new: Vec<&NewEvent> = before
        .iter()
        .chain(
            batch
                .iter()
                .zip(&expected)
                .filter_map(|(new, answer)| matches!(answer, Acceptance::Accepted(_)).then_some(new)),
        )
        .collect();
    for new in &new {
        let id = new.record.id;
        assert_eq!(store.event(id).await.unwrap(), Some(new.record.clone()));
        assert_eq!(store.contents(&[id]).await.unwrap(), [(id, new.content.clone())]);
    }
    for (nth, handler) in handlers.into_iter().enumerate() {
        let all = Claim { handler: handler.into(), deliveries_each: 1000, ..claim(second(2)) };
        let queues = store.claim(&all).await.unwrap().queues;
        assert_eq!(queues.len(), 7);
        for queue in queues {
            let owed = |new: &&&NewEvent| {
                new.deliveries.get(nth).is_some_and(|one| one.ordering_key == queue.lease.queue.ordering_key)
            };
            let expected: Vec<_> = new.iter().filter(owed).collect();
            assert_eq!(queue.due.len(), expected.len());
            for (due, new) in queue.due.iter().zip(expected) {
                assert_eq!((&due.event, &due.content), (&new.record, &new.content));
                assert_eq!(due.delivery.id, new.deliveries[nth].id);
            }
            settle(&*store, all_done(&queue, second(3))).await;
        }
    }
    assert!(store.backlog().await.unwrap().is_empty(), "every queue has counted its deliveries");
}

async fn events_without_a_byte_are_accepted_together(store: Home) {
    let bare = |uid: &str| {
        let mut new = event(uid, second(1));
        new.content.body = Vec::new().into();
        new.content.headers.clear();
        new
    };
    let batch = [bare("e1"), bare("e2")];
    store.accept(&batch).await.unwrap();
    for new in batch {
        assert_eq!(store.contents(&[new.record.id]).await.unwrap(), [(new.record.id, new.content)]);
    }
}

/// Claims the queues of one handler, by ordering key.
async fn claim_by_key(store: &dyn Store) -> Vec<LeasedQueue> {
    let mut queues = claim_all(store, second(2)).await.queues;
    queues.sort_by(|a, b| a.lease.queue.cmp(&b.lease.queue));
    queues
}

async fn settlements_of_every_kind_do_not_touch_one_another(store: Home) {
    let keys = [
        "a done",
        "b part",
        "c retried",
        "d dead",
        "e parked",
        "f empty and parked",
        "g given back",
        "h lost",
    ];
    let batch: Vec<_> = (0..3)
        .flat_map(|number| keys.map(|key| owed(&format!("{key} {number}"), key, second(1))))
        .filter(|new| {
            !(new.deliveries[0].ordering_key.starts_with('f')
                && new.record.event_uid.as_deref() != Some("f empty and parked 0"))
        })
        .collect();
    store.accept(&batch).await.unwrap();
    let queues = claim_by_key(&*store).await;
    assert_eq!(queues.len(), keys.len());
    let id = |queue: usize, nth: usize| queues[queue].due[nth].delivery.id;
    let retried = |queue, nth| failed(id(queue, nth), DeliveryState::Pending, second(3));
    let dead = |queue, nth| failed(id(queue, nth), DeliveryState::Dead, second(3));
    let well = |queue, nth| done(id(queue, nth), second(3));
    let of = |queue: usize, attempts| {
        settlement(&queues[queue], attempts, second(10 + i64::try_from(queue).unwrap()))
    };
    let mut lost = of(7, vec![well(7, 0), well(7, 1), well(7, 2)]);
    lost.lease.token = LeaseToken::at(second(1));

    let settlements = [
        // Of another queue of the batch, of none, and closed already: they count for nothing.
        of(
            0,
            vec![well(0, 0), well(1, 2), well(0, 1), well(0, 2), done(DeliveryId::at(second(1)), second(3))],
        ),
        of(1, vec![well(1, 0), retried(1, 1)]),
        of(2, vec![retried(2, 0)]),
        of(3, vec![dead(3, 0), dead(3, 1)]),
        Settlement { parked_by: Some(id(4, 0)), ..of(4, vec![dead(4, 0)]) },
        Settlement { parked_by: Some(id(5, 0)), ..of(5, vec![dead(5, 0)]) },
        of(6, vec![]),
        lost,
    ];
    assert_eq!(store.settle(&settlements).await.unwrap(), [true, true, true, true, true, true, true, false]);

    let states = async |queue: usize| {
        let mut states = String::new();
        for due in &queues[queue].due {
            let delivery = store.delivery(due.delivery.id).await.unwrap().unwrap();
            let attempts = store.attempts(due.delivery.id).await.unwrap();
            assert_eq!(attempts.len(), usize::try_from(delivery.attempts).unwrap());
            states += &format!("{} {}/{}, ", delivery.state.as_str(), delivery.failures, delivery.attempts);
        }
        states
    };
    let expected = [
        "done 0/1, done 0/1, done 0/1, ",
        "done 0/1, pending 1/1, pending 0/0, ",
        "pending 1/1, pending 0/0, pending 0/0, ",
        "dead 1/1, dead 1/1, pending 0/0, ",
        "dead 1/1, pending 0/0, pending 0/0, ",
        "dead 1/1, ",
        "pending 0/0, pending 0/0, pending 0/0, ",
        "pending 0/0, pending 0/0, pending 0/0, ",
    ];
    for (queue, expected) in expected.into_iter().enumerate() {
        assert_eq!(states(queue).await, expected, "{}", keys[queue]);
    }
    let mut stands = Vec::new();
    for queue in &queues {
        let stand = store.queue(&queue.lease.queue).await.unwrap();
        stands.push(stand.map(|queue| (queue.pending, queue.due_at, queue.parked_by)));
    }
    assert_eq!(
        stands,
        [
            None,
            Some((2, second(11), None)),
            Some((3, second(12), None)),
            Some((1, second(13), None)),
            Some((2, second(14), Some(id(4, 0)))),
            Some((0, second(15), Some(id(5, 0)))),
            Some((3, second(16), None)),
            Some((3, second(1), None)),
        ]
    );
    let news = Claim { news_only: true, ..claim(second(20)) };
    let news: Vec<_> = store.claim(&news).await.unwrap().queues;
    let mut news: Vec<_> = news.iter().map(|queue| queue.lease.queue.ordering_key.as_str()).collect();
    news.sort_unstable();
    assert_eq!(news, ["d dead", "g given back"], "what waits for another try is no news");
}

/// A worker that lost a queue and took it again may hand in both settlements at once.
async fn of_two_leases_of_one_queue_in_a_batch_the_one_that_is_held_counts(store: Home) {
    store.accept(&[owed("e1", "a", second(1)), owed("e2", "a", second(1))]).await.unwrap();
    let late = claim_all(&*store, second(2)).await.queues.remove(0);
    let held = claim_all(&*store, second(70)).await.queues.remove(0);
    let ids = [held.due[0].delivery.id, held.due[1].delivery.id];
    let late = settlement(
        &late,
        vec![failed(ids[0], DeliveryState::Dead, second(3)), done(ids[1], second(3))],
        second(4),
    );
    let held = settlement(&held, vec![done(ids[0], second(71))], second(72));
    assert_eq!(store.settle(&[late, held]).await.unwrap(), [false, true]);
    for (id, expected) in ids.into_iter().zip([(DeliveryState::Done, 1), (DeliveryState::Pending, 0)]) {
        let delivery = store.delivery(id).await.unwrap().unwrap();
        assert_eq!((delivery.state, delivery.attempts), expected);
    }
    let left = claim_all(&*store, second(72)).await.queues.remove(0);
    assert_eq!(uids(&left.due), ["e2"]);
    settle(&*store, all_done(&left, second(73))).await;
    assert_no_work_is_left(&*store).await;
}

async fn the_longest_due_are_claimed_first_and_news_the_other_way_round(store: Home) {
    for (key, at) in [("c", 3), ("a", 4), ("d", 1), ("b", 2)] {
        store
            .accept(&[owed(key, key, second(at)), owed(&format!("{key} again"), key, second(9))])
            .await
            .unwrap();
    }
    let keys = |queues: &[LeasedQueue]| {
        let mut keys: Vec<_> = queues.iter().map(|queue| queue.lease.queue.ordering_key.clone()).collect();
        keys.sort();
        keys.concat()
    };
    let three = Claim { queues: 3, deliveries_each: 1, ..claim(second(4)) };
    let queues = store.claim(&three).await.unwrap().queues;
    assert_eq!(keys(&queues), "bcd");
    for queue in &queues {
        assert_eq!(uids(&queue.due), [queue.lease.queue.ordering_key.as_str()], "the first of each");
    }
    let back = queues.iter().map(|queue| settlement(queue, vec![], queue.due_at)).collect::<Vec<_>>();
    assert_eq!(store.settle(&back).await.unwrap(), [true; 3]);
    let news = Claim { news_only: true, ..three };
    assert_eq!(keys(&store.claim(&news).await.unwrap().queues), "abc");
}
