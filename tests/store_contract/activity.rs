//! What handlers have been doing of late.

use lectern::model::Activity;
use lectern::store::Store;

use crate::home::Home;
use crate::make::second;

crate::on_both_stores![
    what_handlers_do_is_added_up_over_slots_and_processes,
    the_last_word_about_failing_counts_whoever_said_it,
    slots_before_a_moment_are_forgotten,
    processes_that_note_the_same_handlers_at_once_lose_nothing,
];

fn did(handler: &str, done: u64, failed: u64) -> Activity {
    Activity { handler: handler.into(), done, failed, failing_until: None }
}

async fn note(store: &dyn Store, slot: i64, noted: &[Activity]) {
    store.note_activity(second(slot), noted, second(0)).await.unwrap();
}

async fn what_handlers_do_is_added_up_over_slots_and_processes(store: Home) {
    assert_eq!(store.activity(second(0)).await.unwrap(), []);
    let other = store.another_server().await;
    note(&*store, 10, &[did("crm", 1, 2), did("archive", 3, 0)]).await;
    note(&*other, 10, &[did("crm", 10, 20)]).await;
    note(&*other, 20, &[did("crm", 100, 200)]).await;
    note(&*store, 30, &[]).await;
    let all = [did("archive", 3, 0), did("crm", 111, 222)];
    assert_eq!(store.activity(second(10)).await.unwrap(), all);
    assert_eq!(store.activity(second(11)).await.unwrap(), [did("crm", 100, 200)]);
    assert_eq!(store.activity(second(21)).await.unwrap(), []);
}

async fn the_last_word_about_failing_counts_whoever_said_it(store: Home) {
    for (slot, until) in [(10, None), (10, Some(25)), (10, Some(24)), (10, None), (20, None)] {
        let failing = Activity { failing_until: until.map(second), ..did("crm", 0, 1) };
        note(&*store, slot, &[failing]).await;
    }
    let expected = Activity { failing_until: Some(second(25)), ..did("crm", 0, 5) };
    assert_eq!(store.activity(second(10)).await.unwrap(), [expected]);
    assert_eq!(store.activity(second(20)).await.unwrap(), [did("crm", 0, 1)]);
}

async fn slots_before_a_moment_are_forgotten(store: Home) {
    for slot in [10, 20, 30] {
        note(&*store, slot, &[did("crm", 1, 0)]).await;
    }
    store.note_activity(second(40), &[did("crm", 1, 0)], second(20)).await.unwrap();
    assert_eq!(store.activity(second(0)).await.unwrap(), [did("crm", 3, 0)]);
}

async fn processes_that_note_the_same_handlers_at_once_lose_nothing(store: Home) {
    let (one, two) = (store.share(), store.another_server().await);
    // In opposite orders, which is what two that wait for each other would need.
    let work = async |store: &dyn Store, handlers: [&str; 2]| {
        for _ in 0..50 {
            note(store, 10, &handlers.map(|handler| did(handler, 1, 2))).await;
        }
    };
    tokio::join!(work(&*one, ["a", "b"]), work(&*two, ["b", "a"]));
    assert_eq!(store.activity(second(0)).await.unwrap(), [did("a", 100, 200), did("b", 100, 200)]);
}
