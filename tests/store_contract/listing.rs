//! Lists: filters, pages, and looking up what is not there.

use lectern::model::{
    Delivery, DeliveryFilter, DeliveryId, DeliveryState, EventFilter, EventId, EventRecord, PageRequest,
};
use lectern::store::Store;

use crate::home::Home;
use crate::make::{
    accept, all_done, claim, event, failed, first, microsecond, owed_to, second, settle, settlement,
};

crate::on_both_stores![
    events_come_newest_first,
    every_condition_on_events_narrows_the_list,
    a_list_of_a_time_has_its_beginning_and_not_its_end,
    pages_of_events_walk_over_all_without_skip_or_repetition,
    an_event_that_arrives_between_two_pages_moves_nothing,
    every_condition_on_deliveries_narrows_the_list,
    pages_of_deliveries_walk_over_all_without_skip_or_repetition,
    what_is_not_there_is_not_found,
];

async fn some_events(store: &dyn Store) -> Vec<EventRecord> {
    let mut records = Vec::new();
    for (n, at) in (0..24).zip(0..) {
        let mut new = event(&n.to_string(), second(at));
        new.record.event_type = ["message.received", "message.sent", "review.created"][n % 3].into();
        new.record.source = ["default", "other"][n % 2].into();
        new.record.conversation_uid = (n % 4 > 0).then(|| format!("c{}", n % 4));
        new.record.location_uid = (n % 5 > 0).then(|| format!("l{}", n % 5));
        records.push(new.record.clone());
        accept(store, new).await;
    }
    records.reverse();
    records
}

async fn events_come_newest_first(store: Home) {
    let all = some_events(&*store).await;
    assert_eq!(store.events(&EventFilter::default(), first(100)).await.unwrap(), all);
    assert_eq!(store.events(&EventFilter::default(), first(3)).await.unwrap(), all[..3]);
}

async fn every_condition_on_events_narrows_the_list(store: Home) {
    let all = some_events(&*store).await;
    // Every subset of the conditions.
    for set in 0..64_u32 {
        let is_set = |condition: u32| set & (1 << condition) > 0;
        let filter = EventFilter {
            event_type: is_set(0).then(|| "message.*".parse().unwrap()),
            source: is_set(1).then(|| "other".into()),
            location_uid: is_set(2).then(|| "l3".into()),
            conversation_uid: is_set(3).then(|| "c1".into()),
            received_after: is_set(4).then(|| second(5)),
            received_before: is_set(5).then(|| second(20)),
        };
        let fits = |record: &&EventRecord| {
            filter.event_type.as_ref().is_none_or(|pattern| pattern.matches(&record.event_type))
                && filter.source.as_ref().is_none_or(|source| *source == record.source)
                && (filter.location_uid.is_none() || filter.location_uid == record.location_uid)
                && (filter.conversation_uid.is_none() || filter.conversation_uid == record.conversation_uid)
                && filter.received_after.is_none_or(|after| record.received_at >= after)
                && filter.received_before.is_none_or(|before| record.received_at < before)
        };
        let expected: Vec<EventRecord> = all.iter().filter(fits).cloned().collect();
        assert_eq!(store.events(&filter, first(100)).await.unwrap(), expected, "{filter:?}");
    }
}

async fn a_list_of_a_time_has_its_beginning_and_not_its_end(store: Home) {
    for n in 0..5 {
        accept(&*store, event(&n.to_string(), microsecond(n))).await;
    }
    let filter = EventFilter {
        received_after: Some(microsecond(1)),
        received_before: Some(microsecond(3)),
        ..EventFilter::default()
    };
    let found = store.events(&filter, first(100)).await.unwrap();
    let uids: Vec<_> = found.iter().filter_map(|record| record.event_uid.as_deref()).collect();
    assert_eq!(uids, ["2", "1"]);
}

/// Walks over all pages of a list.
async fn walk(store: &dyn Store, filter: &EventFilter, limit: u32) -> Vec<EventId> {
    let mut seen = Vec::new();
    loop {
        let page = store.events(filter, PageRequest { limit, below: seen.last().copied() }).await.unwrap();
        if page.is_empty() {
            return seen;
        }
        assert!(page.len() <= limit as usize);
        seen.extend(page.iter().map(|record| record.id));
    }
}

async fn pages_of_events_walk_over_all_without_skip_or_repetition(store: Home) {
    // Many of one microsecond: what orders them is the rest of the identifier.
    let batch: Vec<_> = (0..100)
        .map(|n| {
            let mut new = event(&n.to_string(), microsecond(n / 40));
            new.record.conversation_uid = Some(format!("c{}", n % 2));
            new
        })
        .collect();
    store.accept(&batch).await.unwrap();
    for conversation in [None, Some("c1".to_owned())] {
        let fits = |uid: &Option<String>| conversation.is_none() || *uid == conversation;
        let mut expected: Vec<EventId> = batch
            .iter()
            .filter(|event| fits(&event.record.conversation_uid))
            .map(|event| event.record.id)
            .collect();
        expected.sort_by(|a, b| b.cmp(a));
        let filter = EventFilter { conversation_uid: conversation.clone(), ..EventFilter::default() };
        for limit in [1, 7, 50, 100] {
            assert_eq!(walk(&*store, &filter, limit).await, expected);
        }
    }
}

async fn an_event_that_arrives_between_two_pages_moves_nothing(store: Home) {
    for n in 0..6 {
        accept(&*store, event(&n.to_string(), second(n))).await;
    }
    let page = store.events(&EventFilter::default(), first(3)).await.unwrap();
    accept(&*store, event("new", second(100))).await;
    let below = page.last().map(|record| record.id);
    let next = store.events(&EventFilter::default(), PageRequest { limit: 3, below }).await.unwrap();
    let uids: Vec<_> = next.iter().filter_map(|record| record.event_uid.as_deref()).collect();
    assert_eq!(uids, ["2", "1", "0"]);
}

/// Thirty deliveries: of each event one for `mirror` and one for `crm`; of `mirror` some are done and some dead.
async fn some_deliveries(store: &dyn Store) -> Vec<Delivery> {
    let mut ids: Vec<DeliveryId> = Vec::new();
    for n in 0..15 {
        ids.extend(
            accept(store, owed_to(&["mirror", "crm"], &n.to_string(), &n.to_string(), second(n))).await,
        );
    }
    let some = lectern::store::Claim { queues: 10, ..claim(second(100)) };
    for (n, queue) in store.claim(&some).await.unwrap().queues.iter().enumerate() {
        let id = queue.due[0].delivery.id;
        let end = match n % 3 {
            0 => settlement(queue, vec![failed(id, DeliveryState::Dead, second(100))], second(100)),
            1 => settlement(queue, vec![failed(id, DeliveryState::Pending, second(100))], second(100)),
            _ => all_done(queue, second(100)),
        };
        settle(store, end).await;
    }
    ids.sort_by(|a, b| b.cmp(a));
    let mut deliveries = Vec::new();
    for id in ids {
        deliveries.push(store.delivery(id).await.unwrap().unwrap());
    }
    deliveries
}

async fn every_condition_on_deliveries_narrows_the_list(store: Home) {
    let all = some_deliveries(&*store).await;
    let states = [None, Some(DeliveryState::Pending), Some(DeliveryState::Done), Some(DeliveryState::Dead)];
    let handlers = [None, Some("mirror".to_owned()), Some("crm".to_owned()), Some("nobody".to_owned())];
    let events = [None, Some(all[3].event_id), Some(all[29].event_id), Some(EventId::at(second(0)))];
    for state in states {
        for handler in &handlers {
            for event_id in events {
                let event = EventFilter::default();
                let filter = DeliveryFilter { state, handler: handler.clone(), event_id, event };
                let fits = |delivery: &&Delivery| {
                    state.is_none_or(|state| delivery.state == state)
                        && handler.as_ref().is_none_or(|handler| delivery.handler == *handler)
                        && event_id.is_none_or(|event_id| delivery.event_id == event_id)
                };
                let expected: Vec<Delivery> = all.iter().filter(fits).cloned().collect();
                assert_eq!(store.deliveries(&filter, first(100)).await.unwrap(), expected, "{filter:?}");
            }
        }
    }
}

async fn pages_of_deliveries_walk_over_all_without_skip_or_repetition(store: Home) {
    let all = some_deliveries(&*store).await;
    for state in [None, Some(DeliveryState::Pending), Some(DeliveryState::Dead)] {
        let filter = DeliveryFilter { state, ..DeliveryFilter::default() };
        let mut expected = all.clone();
        expected.retain(|delivery| state.is_none_or(|state| delivery.state == state));
        for limit in [1, 4, 30] {
            let mut seen: Vec<Delivery> = Vec::new();
            loop {
                let below = seen.last().map(|delivery| delivery.id);
                let page = store.deliveries(&filter, PageRequest { limit, below }).await.unwrap();
                if page.is_empty() {
                    break;
                }
                seen.extend(page);
            }
            assert_eq!(seen, expected);
        }
    }
}

async fn what_is_not_there_is_not_found(store: Home) {
    let there = event("e1", second(1));
    accept(&*store, there.clone()).await;
    let (event, delivery) = (EventId::at(second(1)), DeliveryId::at(second(1)));
    assert_eq!(store.event(event).await.unwrap(), None);
    assert_eq!(store.delivery(delivery).await.unwrap(), None);
    assert!(store.attempts(delivery).await.unwrap().is_empty());
    assert!(store.contents(&[]).await.unwrap().is_empty());
    let found = store.contents(&[event, there.record.id]).await.unwrap();
    assert_eq!(found, [(there.record.id, there.content)], "what is not known is left out");
}
