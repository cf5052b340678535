//! What goes in comes out: bytes, characters and microseconds.

use jiff::Timestamp;
use lectern::model::{EventRecord, Header};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::home::Home;
use crate::make::{accept, claim_one, event, microsecond, owed, second};

crate::on_both_stores![
    a_body_comes_back_byte_for_byte,
    headers_come_back_in_their_order_with_repetitions,
    the_longest_names_in_any_script_come_back,
    any_time_comes_back_to_the_microsecond,
    a_time_before_all_calendars_is_no_reason_to_refuse_an_event,
];

async fn a_body_comes_back_byte_for_byte(store: Home) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = every_byte.iter().copied().cycle().take(1 << 20).collect();
    let bodies = [vec![], every_byte, large, b"\0".to_vec(), vec![0xff; 300], b"{\"a\": 1 }\r\n".to_vec()];
    let mut batch = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        let mut new = owed(&number.to_string(), "a", second(1));
        new.content.body = body.into();
        batch.push(new);
    }
    store.accept(&batch).await.unwrap();

    let due = claim_one(&*store, second(2)).await.due;
    for (new, due) in batch.iter().zip(&due) {
        assert!(new.content == due.content, "a handler gets the body of {:?}", new.record.event_uid);
        assert_eq!(store.contents(&[new.record.id]).await.unwrap(), [(new.record.id, new.content.clone())]);
    }
}

async fn headers_come_back_in_their_order_with_repetitions(store: Home) {
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    let mut new = event("e1", second(1));
    new.content.headers = vec![
        header("x-second", "2"),
        header("x-first", "a \"quoted\" \\ value"),
        header("x-second", ""),
        header("x-strange", "\u{0}\u{1}\t\u{7f}\u{fffd} 📚 é"),
    ];
    accept(&*store, new.clone()).await;
    let mut bare = event("e2", second(1));
    bare.content.headers.clear();
    accept(&*store, bare.clone()).await;

    for new in [new, bare] {
        assert_eq!(store.contents(&[new.record.id]).await.unwrap(), [(new.record.id, new.content)]);
    }
}

async fn the_longest_names_in_any_script_come_back(store: Home) {
    for (number, character) in ["a", "é", "字", "📚", "'", "%", "\\"].into_iter().enumerate() {
        let longest = character.repeat(255);
        let mut new = owed(&number.to_string(), &format!("conversation:{longest}"), second(1));
        new.record = EventRecord {
            id: new.record.id,
            source: longest.clone(),
            event_type: longest.clone(),
            event_uid: Some(longest.clone()),
            subject_uid: Some(longest.clone()),
            conversation_uid: Some(longest.clone()),
            contact_uid: Some(longest.clone()),
            location_uid: Some(longest.clone()),
            organization_uid: Some(longest.clone()),
            occurred_at: Some(second(0)),
            received_at: second(1),
            verified_by: Some(longest.clone()),
            decode_error: Some(longest.clone()),
            origin: lectern::model::Origin::Repair,
        };
        accept(&*store, new.clone()).await;
        assert_eq!(store.event(new.record.id).await.unwrap(), Some(new.record.clone()));
        let queue = claim_one(&*store, second(2)).await;
        assert_eq!(queue.lease.queue.ordering_key, new.deliveries[0].ordering_key);
        assert_eq!(queue.due[0].event, new.record);
    }
}

async fn any_time_comes_back_to_the_microsecond(store: Home) {
    // From the year 1 to the year 9999, in microseconds.
    let years = -62_135_596_800_000_000_i64..253_370_764_800_000_000;
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    block_in_place(|| {
        runner
            .run(&(years, 0_i64..4_000_000_000_000_000), |(occurred, received)| {
                let at = |microseconds| Timestamp::from_microsecond(microseconds).unwrap();
                let mut new = event(&format!("{occurred} {received}"), at(received));
                new.record.occurred_at = Some(at(occurred));
                let record = new.record.clone();
                let kept = Handle::current().block_on(async {
                    accept(&*store, new).await;
                    store.event(record.id).await.unwrap()
                });
                prop_assert_eq!(kept, Some(record));
                Ok(())
            })
            .unwrap();
    });
}

async fn a_time_before_all_calendars_is_no_reason_to_refuse_an_event(store: Home) {
    for (uid, occurred_at, kept) in [
        ("early", Timestamp::MIN, "-004713-11-24T00:00:00Z"),
        ("late", Timestamp::MAX, "9999-12-30T22:00:00Z"),
        ("fine", "2026-01-01T00:00:00.123456789Z".parse().unwrap(), "2026-01-01T00:00:00.123456Z"),
    ] {
        let mut new = event(uid, microsecond(1));
        new.record.occurred_at = Some(occurred_at);
        let id = new.record.id;
        accept(&*store, new).await;
        assert_eq!(store.event(id).await.unwrap().unwrap().occurred_at, Some(kept.parse().unwrap()));
    }
}
