//! What comes while a person is erased.

use serde_json::{Value, json};

use super::*;
use crate::clock::SystemClock;
use crate::model::{Content, DedupKey, EventRecord, NewEvent, ResourceKeys, ResourceState, Version, Words};
use crate::store::sqlite::SqliteStore;
use crate::store::{LeaseToken, MirrorLease, MirrorStore as _, Mirrored, Store as _};

const ANN: &str = "+18015550123";

struct Home {
    store: SqliteStore,
    token: LeaseToken,
    _folder: tempfile::TempDir,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db")).await.unwrap();
        let token = LeaseToken::at(second(0));
        let lease = MirrorLease { token, now: second(0), until: second(9) };
        assert!(store.lease_mirror(&lease).await.unwrap());
        Self { store, token, _folder: folder }
    }

    /// An event that is mirrored; if it is a message, with what it tells of it.
    async fn event(&self, at: i64, body: &Value, message: Option<ResourceKeys>) -> EventId {
        let id = EventId::at(second(at));
        let record = EventRecord { id, ..EventRecord::bare("message.received", second(at)) };
        let content = Content { headers: Vec::new(), body: body.to_string().into() };
        let dedup_key = DedupKey::of_uid("default", &id.to_string());
        self.store.accept(&[NewEvent { record, dedup_key, content, deliveries: Vec::new() }]).await.unwrap();
        let state = |keys| ResourceState {
            kind: ResourceKind::Message,
            uid: id.to_string(),
            version: Version::new(None, 0, id),
            event_id: id,
            at: second(at),
            keys,
            name: None,
            words: Words::default(),
            data: body.to_string(),
        };
        let mirrored = Mirrored {
            token: self.token,
            states: message.map(state).into_iter().collect(),
            told_by: Vec::new(),
            skipped: Vec::new(),
            fitting: Vec::new(),
            events: vec![id],
            rebuilt_after: None,
        };
        assert!(self.store.mirror(&mirrored).await.unwrap());
        id
    }

    async fn find(&self) -> Found {
        let person = Person::known_as(Traces::of(&[], &[], &[ANN.to_owned()]).unwrap());
        find(person, &self.store, |_| {}).await.unwrap()
    }

    async fn erase(&self, found: Found, all_contacts: bool) -> Erased {
        erase(found, all_contacts, &SystemClock, &self.store, |_| {}).await.unwrap()
    }
}

fn second(number: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_790_000_000 + number).unwrap()
}

/// A message of a contact, from one of its addresses.
fn from(contact: &str, address: &str) -> Option<ResourceKeys> {
    Some(ResourceKeys {
        contact_uid: Some(contact.to_owned()),
        channel_identifier: Some(address.to_owned()),
        ..ResourceKeys::default()
    })
}

#[tokio::test]
async fn what_is_learnt_late_is_looked_for_in_what_was_there_before() {
    let home = Home::new().await;
    let mut events = vec![
        home.event(1, &json!({"note": "ann@example.com called"}), None).await,
        home.event(2, &json!({"from": ANN}), from("ann", ANN)).await,
    ];
    let others = home.event(3, &json!({"from": "bob"}), from("bob", "bob@example.com")).await;
    let found = home.find().await;
    assert_eq!(found.events, events[1..]);

    events.push(home.event(4, &json!({"from": "ann@example.com"}), from("ann", "ann@example.com")).await);
    // As from a spool: received before all others.
    events.push(home.event(0, &json!({"from": ANN}), from("ann", ANN)).await);
    let erased = home.erase(found, false).await;
    assert_eq!((erased.events, erased.resources, erased.is_more), (4, 3, false));
    assert_eq!(erased.person.traces().emails().collect::<Vec<_>>(), ["ann@example.com"]);
    assert_eq!(home.store.contents(&events).await.unwrap(), []);
    assert_eq!(home.store.contents(&[others]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_contacts_that_come_meanwhile_are_left_unless_all_are_meant() {
    for all_contacts in [false, true] {
        let home = Home::new().await;
        home.event(1, &json!({"from": ANN}), from("ann", ANN)).await;
        let found = home.find().await;
        let mut late = Vec::new();
        for number in 0..5 {
            late.push(home.event(2 + number, &json!({"from": ANN}), from(&number.to_string(), ANN)).await);
        }
        let erased = home.erase(found, all_contacts).await;
        assert_eq!((erased.is_more, erased.events), (!all_contacts, if all_contacts { 6 } else { 1 }));
        assert_eq!(erased.person.contacts().len(), 6);
        assert_eq!(home.store.contents(&late).await.unwrap().len(), if all_contacts { 0 } else { 5 });
    }
}

#[tokio::test]
async fn nothing_is_looked_for_while_the_mirror_is_made_anew() {
    let home = Home::new().await;
    home.event(1, &json!({"from": ANN}), from("ann", ANN)).await;
    let found = home.find().await;
    home.store.begin_rebuild(second(2)).await.unwrap();
    let refused = until_mirrored(second(3), &home.store).await;
    assert!(matches!(refused, Err(ErasureError::Rebuilding)), "{refused:?}");
    let refused = erase(found, false, &SystemClock, &home.store, |_| {}).await;
    assert!(matches!(refused, Err(ErasureError::Rebuilding)), "{refused:?}");
}
