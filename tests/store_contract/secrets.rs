//! When the secrets of sources were last used.

use lectern::model::{SecretDigest, SecretUse};
use lectern::store::Store;

use crate::home::Home;
use crate::make::second;

crate::on_both_stores![
    the_use_of_a_secret_comes_back_as_it_was_noted,
    a_later_use_counts_and_an_earlier_one_never_takes_its_place,
    a_secret_that_was_never_used_stays_known_since_it_was_first_noted,
    several_uses_of_one_secret_can_be_noted_at_once,
    servers_that_note_the_same_secrets_at_once_lose_nothing,
    what_was_noted_is_there_when_the_store_is_opened_again,
];

fn used(secret: &str, last_used_at: Option<i64>, events: u64) -> SecretUse {
    SecretUse {
        secret: SecretDigest::of("default", secret),
        source: "default".into(),
        name: secret.into(),
        known_since: second(1),
        last_used_at: last_used_at.map(second),
        events,
    }
}

async fn known(store: &dyn Store) -> Vec<SecretUse> {
    let mut uses = store.secret_uses().await.unwrap();
    uses.sort_by(|a, b| a.name.cmp(&b.name));
    uses
}

async fn the_use_of_a_secret_comes_back_as_it_was_noted(store: Home) {
    assert_eq!(known(&*store).await, []);
    store.note_secret_uses(&[]).await.unwrap();
    let uses = [used("a", Some(5), 3), used("b", None, 0)];
    store.note_secret_uses(&uses).await.unwrap();
    assert_eq!(known(&*store).await, uses);
}

async fn a_later_use_counts_and_an_earlier_one_never_takes_its_place(store: Home) {
    for last_used_at in [Some(5), Some(9), None, Some(7)] {
        store.note_secret_uses(&[used("a", last_used_at, 2)]).await.unwrap();
    }
    assert_eq!(known(&*store).await, [used("a", Some(9), 8)]);
}

async fn a_secret_that_was_never_used_stays_known_since_it_was_first_noted(store: Home) {
    for since in [5, 3, 4] {
        let name = format!("called-{since}");
        let noted = SecretUse { known_since: second(since), name, ..used("a", None, 0) };
        store.note_secret_uses(&[noted]).await.unwrap();
    }
    let expected = SecretUse { known_since: second(3), name: "called-4".into(), ..used("a", None, 0) };
    assert_eq!(known(&*store).await, std::slice::from_ref(&expected));
    store.note_secret_uses(&[SecretUse { last_used_at: Some(second(8)), ..expected.clone() }]).await.unwrap();
    assert_eq!(known(&*store).await, [SecretUse { last_used_at: Some(second(8)), ..expected }]);
}

async fn several_uses_of_one_secret_can_be_noted_at_once(store: Home) {
    store
        .note_secret_uses(&[used("a", Some(9), 1), used("a", None, 0), used("a", Some(5), 2)])
        .await
        .unwrap();
    assert_eq!(known(&*store).await, [used("a", Some(9), 3)]);
}

async fn servers_that_note_the_same_secrets_at_once_lose_nothing(store: Home) {
    let other = store.another_server().await;
    let (one, two) = (store.share(), other);
    let note = async |store: &dyn Store, secrets: [&str; 2], from: i64| {
        for number in 0..50 {
            let uses = secrets.map(|secret| used(secret, Some(from + number), 1));
            store.note_secret_uses(&uses).await.unwrap();
        }
    };
    // In opposite orders, which is what two that wait for each other would need.
    tokio::join!(note(&*one, ["a", "b"], 100), note(&*two, ["b", "a"], 10));
    assert_eq!(known(&*store).await, [used("a", Some(149), 100), used("b", Some(149), 100)]);
}

async fn what_was_noted_is_there_when_the_store_is_opened_again(store: Home) {
    store.note_secret_uses(&[used("a", Some(5), 3)]).await.unwrap();
    store.close().await;
    let store = store.another().await;
    assert_eq!(known(&*store).await, [used("a", Some(5), 3)]);
}
