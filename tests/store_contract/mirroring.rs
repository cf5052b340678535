//! The mirror: what is yet to be mirrored, whose turn it is, and the states that stay.

use lectern::model::{
    EventId, Rebuild, Resource, ResourceFilter, ResourceKeys, ResourceKind, ResourceState, SkippedEvent,
    Talk, Version, Words,
};
use lectern::store::{LeaseToken, MirrorLease, MirrorStore, Mirrored};

use crate::home::Home;
use crate::make::{accept, event, first, forget_before, second};

crate::on_both_stores![
    every_accepted_event_is_to_be_mirrored_until_it_is,
    a_body_that_was_forgotten_is_no_body,
    the_mirror_is_one_process_at_a_time_and_another_s_when_the_lease_ends,
    a_state_never_takes_the_place_of_a_newer_one,
    whatever_the_order_the_picture_is_the_same,
    a_conversation_is_what_its_messages_come_to,
    what_gave_no_picture_is_listed_until_it_gives_one,
    the_mirror_is_made_anew_from_where_it_was,
    what_is_asked_for_again_begins_anew_whatever_is_under_way,
    making_the_mirror_anew_without_events_ends_at_once,
    a_message_that_goes_to_another_conversation_is_missed_in_neither,
    a_conversation_knows_its_customer_though_not_every_message_says_who_it_is,
    an_event_that_is_forgotten_leaves_nothing_behind_but_the_picture,
    what_was_merged_leads_to_what_stays,
];

fn lease(token: LeaseToken, from: i64, until: i64) -> MirrorLease {
    MirrorLease { token, now: second(from), until: second(until) }
}

/// The one who is at the mirror, for an hour.
pub(crate) async fn at_the_mirror(store: &dyn MirrorStore) -> LeaseToken {
    let token = LeaseToken::at(second(0));
    assert!(store.lease_mirror(&lease(token, 0, 3600)).await.unwrap());
    token
}

pub(crate) fn state(kind: ResourceKind, uid: &str, at: i64, step: u8) -> ResourceState {
    let event_id = EventId::at(second(at));
    ResourceState {
        kind,
        uid: uid.to_owned(),
        version: Version::new(Some(second(at)), step, event_id),
        event_id,
        at: second(at),
        keys: ResourceKeys::default(),
        name: None,
        words: Words::default(),
        data: format!(r#"{{"said":"at {at}, step {step}"}}"#),
    }
}

/// A message of a conversation.
pub(crate) fn message(
    uid: &str,
    conversation: &str,
    at: i64,
    direction: &str,
    status: &str,
) -> ResourceState {
    let mut state = state(ResourceKind::Message, uid, at, u8::from(status == "failed"));
    state.keys = ResourceKeys {
        conversation_uid: Some(conversation.to_owned()),
        direction: Some(direction.to_owned()),
        status: Some(status.to_owned()),
        ..ResourceKeys::default()
    };
    state
}

pub(crate) async fn mirror(store: &dyn MirrorStore, token: LeaseToken, states: Vec<ResourceState>) {
    let told_by = states.iter().map(|state| (state.kind, state.uid.clone(), state.event_id)).collect();
    let mirrored = Mirrored { states, told_by, ..through(token, &[]) };
    assert!(store.mirror(&mirrored).await.unwrap());
}

async fn one(store: &dyn MirrorStore, kind: ResourceKind, uid: &str) -> Resource {
    store.resources_by_uid(kind, &[uid.to_owned()]).await.unwrap().pop().expect("it is there")
}

pub(crate) fn through(token: LeaseToken, events: &[EventId]) -> Mirrored {
    Mirrored {
        token,
        states: Vec::new(),
        told_by: Vec::new(),
        skipped: Vec::new(),
        fitting: Vec::new(),
        events: events.to_vec(),
        rebuilt_after: None,
    }
}

async fn waiting(store: &dyn MirrorStore, at_most: u32) -> Vec<String> {
    let waiting = store.unmirrored(at_most).await.unwrap();
    waiting.into_iter().map(|one| one.event.event_uid.unwrap()).collect()
}

async fn every_accepted_event_is_to_be_mirrored_until_it_is(store: Home) {
    for (uid, at) in [("second", 2), ("first", 1), ("third", 3)] {
        accept(&*store, event(uid, second(at))).await;
    }
    store.accept(&[event("first", second(9))]).await.unwrap();
    assert_eq!(waiting(&*store, 10).await, ["first", "second", "third"]);
    assert_eq!(waiting(&*store, 2).await, ["first", "second"]);
    let found = store.unmirrored(1).await.unwrap().remove(0);
    assert_eq!(&found.content.unwrap().body[..], br#"{"uid":"first"}"#);
    let status = store.mirror_status().await.unwrap();
    assert_eq!((status.waiting, status.oldest_at, status.skipped), (3, Some(second(1)), 0));

    let token = at_the_mirror(&*store).await;
    assert!(store.mirror(&through(token, &[found.event.id])).await.unwrap());
    assert_eq!(waiting(&*store, 10).await, ["second", "third"]);
    // Sent again, it is a duplicate, and nothing new.
    store.accept(&[event("first", second(9))]).await.unwrap();
    assert_eq!(waiting(&*store, 10).await, ["second", "third"]);
}

async fn a_body_that_was_forgotten_is_no_body(store: Home) {
    accept(&*store, event("e1", second(1))).await;
    store.place.tamper("DELETE FROM event_bodies").await;
    let found = store.unmirrored(1).await.unwrap().remove(0);
    assert!(found.content.is_none());
    assert_eq!(found.event.event_uid.as_deref(), Some("e1"));
}

async fn the_mirror_is_one_process_at_a_time_and_another_s_when_the_lease_ends(store: Home) {
    accept(&*store, event("e1", second(1))).await;
    let id = store.unmirrored(1).await.unwrap()[0].event.id;
    let (one, other) = (LeaseToken::at(second(0)), LeaseToken::at(second(0)));
    assert!(store.lease_mirror(&lease(one, 0, 10)).await.unwrap());
    assert!(!store.lease_mirror(&lease(other, 9, 19)).await.unwrap());
    assert!(store.lease_mirror(&lease(one, 9, 20)).await.unwrap(), "it is prolonged");
    assert!(store.lease_mirror(&lease(other, 20, 30)).await.unwrap());
    assert!(!store.mirror(&through(one, &[id])).await.unwrap(), "it comes too late");
    assert_eq!(waiting(&*store, 1).await, ["e1"]);
    assert!(store.mirror(&through(other, &[id])).await.unwrap());
}

async fn a_state_never_takes_the_place_of_a_newer_one(store: Home) {
    let token = at_the_mirror(&*store).await;
    let said = async |state| {
        mirror(&*store, token, vec![state]).await;
        one(&*store, ResourceKind::Invoice, "i").await.data
    };
    assert!(said(state(ResourceKind::Invoice, "i", 5, 0)).await.contains("at 5, step 0"));
    assert!(said(state(ResourceKind::Invoice, "i", 4, 9)).await.contains("at 5, step 0"));
    let last = state(ResourceKind::Invoice, "i", 5, 1);
    assert!(said(last.clone()).await.contains("at 5, step 1"));
    assert!(said(state(ResourceKind::Invoice, "i", 5, 0)).await.contains("at 5, step 1"));
    // The very same event, of which more is made today.
    assert_eq!(said(ResourceState { data: "{}".to_owned(), ..last }).await, "{}");
    let other = store.resources_by_uid(ResourceKind::Review, &["i".to_owned()]).await.unwrap();
    assert_eq!(other, [], "a uid is one of its kind");
}

async fn whatever_the_order_the_picture_is_the_same(store: Home) {
    let token = at_the_mirror(&*store).await;
    let talk = |name: &str| {
        vec![
            message("m1", name, 10, "inbound", "received"),
            message("m2", name, 20, "outbound", "sent"),
            message("m3", name, 30, "inbound", "received"),
            message("m4", name, 40, "outbound", "sent"),
            message("m4", name, 40, "outbound", "failed"),
            message("m5", name, 15, "inbound", "received"),
        ]
    };
    let mut pictures = Vec::new();
    for turn in 0..6 {
        let name = format!("c{turn}");
        let mut states = talk(&name);
        states.rotate_left(turn);
        if turn % 2 == 1 {
            states.reverse();
        }
        for mut of_message in states {
            of_message.uid = format!("{}-{turn}", of_message.uid);
            let of_conversation = ResourceState {
                kind: ResourceKind::Conversation,
                uid: name.clone(),
                keys: ResourceKeys { direction: None, status: None, ..of_message.keys.clone() },
                ..of_message.clone()
            };
            // Twice, as after a crash.
            for _ in 0..2 {
                mirror(&*store, token, vec![of_message.clone(), of_conversation.clone()]).await;
            }
        }
        let Resource { at, data, talk, keys, .. } = one(&*store, ResourceKind::Conversation, &name).await;
        let mut talk = talk.unwrap();
        talk.last_message_uid.truncate(2);
        pictures.push((at, data, talk, keys.is_awaiting));
    }
    let expected = Talk { first_at: second(10), inbound: 3, outbound: 2, last_message_uid: "m4".to_owned() };
    // What is said of the conversation itself comes with the newest event that tells of it; of two of one moment, the later.
    assert_eq!((pictures[0].0, &pictures[0].2, pictures[0].3), (second(40), &expected, Some(true)));
    for picture in &pictures {
        assert_eq!((picture.0, &picture.2, picture.3), (second(40), &expected, Some(true)));
        assert!(picture.1.contains("at 40, step 1"), "{}", picture.1);
    }
}

async fn a_conversation_is_what_its_messages_come_to(store: Home) {
    let token = at_the_mirror(&*store).await;
    let awaiting = async |uid, at, direction, status| {
        let states = vec![
            message(uid, "c", at, direction, status),
            ResourceState {
                kind: ResourceKind::Conversation,
                ..state(ResourceKind::Conversation, "c", at, 0)
            },
        ];
        mirror(&*store, token, states).await;
        let conversation = one(&*store, ResourceKind::Conversation, "c").await;
        (conversation.keys.is_awaiting.unwrap(), conversation.talk.unwrap().last_message_uid, conversation.at)
    };
    let last = |uid: &str, is_awaiting, at| (is_awaiting, uid.to_owned(), second(at));
    assert_eq!(awaiting("a", 1, "outbound", "failed").await, last("a", false, 1));
    assert_eq!(awaiting("b", 2, "inbound", "received").await, last("b", true, 2));
    assert_eq!(awaiting("c", 3, "outbound", "sent").await, last("c", false, 3));
    assert_eq!(awaiting("c", 3, "outbound", "failed").await, last("c", true, 3), "nobody got that answer");
    assert_eq!(awaiting("d", 4, "outbound", "sent").await, last("d", false, 4));
    assert_eq!(awaiting("e", 1, "inbound", "received").await, last("d", false, 4), "an old one came late");
}

async fn what_gave_no_picture_is_listed_until_it_gives_one(store: Home) {
    let token = at_the_mirror(&*store).await;
    for (uid, at) in [("e1", 1), ("e2", 2), ("e3", 3)] {
        accept(&*store, event(uid, second(at))).await;
    }
    let ids: Vec<_> = store.unmirrored(9).await.unwrap().iter().map(|one| one.event.id).collect();
    let skip = |event: usize, reason: &str| SkippedEvent { event_id: ids[event], reason: reason.to_owned() };
    let both = vec![skip(0, "it has no uid"), skip(2, "a NUL \0 in it")];
    let mirrored = Mirrored { skipped: both, ..through(token, &ids) };
    assert!(store.mirror(&mirrored).await.unwrap());
    let shown = [skip(2, "a NUL \u{fffd} in it"), skip(0, "it has no uid")];
    assert_eq!(store.skipped(first(9)).await.unwrap(), shown);
    let below = lectern::model::PageRequest { limit: 9, below: Some(ids[2]) };
    assert_eq!(store.skipped(below).await.unwrap(), shown[1..]);
    assert_eq!(store.mirror_status().await.unwrap().skipped, 2);
    // One has lost its body: there is nothing that it could tell.
    let again = Mirrored { skipped: vec![skip(0, "still none")], ..through(token, &ids) };
    assert!(store.mirror(&again).await.unwrap());
    assert_eq!(store.skipped(first(9)).await.unwrap(), [shown[0].clone(), skip(0, "still none")]);
    let fits = Mirrored { fitting: vec![ids[2]], ..through(token, &ids) };
    assert!(store.mirror(&fits).await.unwrap());
    assert_eq!(store.skipped(first(9)).await.unwrap(), [skip(0, "still none")]);
    // What was forgotten meanwhile is listed nowhere.
    let unknown = SkippedEvent { event_id: EventId::at(second(7)), reason: "nobody knows it".to_owned() };
    assert!(store.mirror(&Mirrored { skipped: vec![unknown], ..through(token, &[]) }).await.unwrap());
    assert_eq!(store.skipped(first(9)).await.unwrap().len(), 1);
}

async fn the_mirror_is_made_anew_from_where_it_was(store: Home) {
    let token = at_the_mirror(&*store).await;
    let mut ids = Vec::new();
    for at in 1..=5 {
        let new = event(&format!("e{at}"), second(at));
        ids.push(new.record.id);
        accept(&*store, new).await;
    }
    assert!(store.mirror(&through(token, &ids)).await.unwrap());
    let fed = store.feed_end().await.unwrap();
    assert!(store.to_rebuild(2).await.unwrap().is_none(), "nobody has asked for it");
    store.begin_rebuild(second(10)).await.unwrap();
    // What comes later is not a part of it.
    accept(&*store, event("late", second(11))).await;
    // Three at a time: the first, again after a crash, and what is left.
    let mut told = Vec::new();
    for _ in 0..3 {
        let next = store.to_rebuild(3).await.unwrap().unwrap();
        let events: Vec<_> = next.events.iter().map(|one| one.event.id).collect();
        told.push(events.clone());
        if told.len() != 1 {
            let again = Mirrored { rebuilt_after: Some(next.after), ..through(token, &events) };
            assert!(store.mirror(&again).await.unwrap());
        }
    }
    assert_eq!(told, [&ids[..3], &ids[..3], &ids[3..]]);
    let rebuild = store.mirror_status().await.unwrap().rebuild.unwrap();
    assert_eq!(rebuild, Rebuild { started_at: second(10), total: 5, done: 5, ended_at: None });
    assert_eq!(waiting(&*store, 9).await, ["late"]);
    assert_eq!(store.feed_end().await.unwrap(), fed, "what is repeated is not new");

    let last = store.to_rebuild(3).await.unwrap().unwrap();
    assert!(last.events.is_empty());
    let other = LeaseToken::at(second(0));
    assert!(!store.end_rebuild(other, last.after, second(12)).await.unwrap(), "that is for whoever is at it");
    assert!(store.end_rebuild(token, last.after, second(12)).await.unwrap());
    assert!(store.to_rebuild(3).await.unwrap().is_none());
    assert_eq!(store.mirror_status().await.unwrap().rebuild.unwrap().ended_at, Some(second(12)));
}

async fn what_is_asked_for_again_begins_anew_whatever_is_under_way(store: Home) {
    let token = at_the_mirror(&*store).await;
    for (uid, at) in [("e1", 1), ("e2", 2)] {
        accept(&*store, event(uid, second(at))).await;
    }
    let ids: Vec<_> = store.unmirrored(9).await.unwrap().iter().map(|one| one.event.id).collect();
    assert!(store.mirror(&through(token, &ids)).await.unwrap());
    store.begin_rebuild(second(3)).await.unwrap();
    let first_part = store.to_rebuild(1).await.unwrap().unwrap();
    let moved = Mirrored { rebuilt_after: Some(first_part.after), ..through(token, &ids[..1]) };
    assert!(store.mirror(&moved).await.unwrap());
    let under_way = store.to_rebuild(1).await.unwrap().unwrap();
    store.begin_rebuild(second(4)).await.unwrap();
    let late = Mirrored { rebuilt_after: Some(under_way.after), ..through(token, &ids[1..]) };
    assert!(store.mirror(&late).await.unwrap());
    let next = store.to_rebuild(9).await.unwrap().unwrap();
    assert_eq!(next.events.iter().map(|one| one.event.id).collect::<Vec<_>>(), ids);
    assert!(!store.end_rebuild(token, under_way.after, second(5)).await.unwrap());
}

async fn making_the_mirror_anew_without_events_ends_at_once(store: Home) {
    let token = at_the_mirror(&*store).await;
    store.begin_rebuild(second(1)).await.unwrap();
    let next = store.to_rebuild(9).await.unwrap().unwrap();
    assert!(next.events.is_empty());
    assert!(store.end_rebuild(token, next.after, second(2)).await.unwrap());
}

async fn a_message_that_goes_to_another_conversation_is_missed_in_neither(store: Home) {
    let token = at_the_mirror(&*store).await;
    let conversation = |uid: &str, at| state(ResourceKind::Conversation, uid, at, 0);
    let told = vec![
        message("m1", "a", 1, "inbound", "received"),
        message("m2", "a", 2, "outbound", "sent"),
        conversation("a", 2),
    ];
    mirror(&*store, token, told).await;
    let moved = vec![message("m2", "b", 3, "outbound", "sent"), conversation("b", 3)];
    mirror(&*store, token, moved).await;
    let left = one(&*store, ResourceKind::Conversation, "a").await;
    let talk = left.talk.unwrap();
    assert_eq!((talk.inbound, talk.outbound, talk.last_message_uid.as_str()), (1, 0, "m1"));
    assert_eq!((left.keys.is_awaiting, left.at), (Some(true), second(1)));
    let joined = one(&*store, ResourceKind::Conversation, "b").await.talk.unwrap();
    assert_eq!((joined.inbound, joined.outbound), (0, 1));
    // One that has none left is no longer any talk, and still a conversation.
    let mut gone = message("m1", "a", 4, "inbound", "received");
    gone.keys.conversation_uid = None;
    mirror(&*store, token, vec![gone]).await;
    let empty = one(&*store, ResourceKind::Conversation, "a").await;
    assert_eq!((empty.talk, empty.keys.is_awaiting), (None, Some(false)));
}

async fn a_conversation_knows_its_customer_though_not_every_message_says_who_it_is(store: Home) {
    let token = at_the_mirror(&*store).await;
    for (uid, at, contact) in [("m2", 2, None), ("m1", 1, Some("ada"))] {
        let mut of_message = message(uid, "c", at, "inbound", "received");
        of_message.keys.contact_uid = contact.map(str::to_owned);
        of_message.name = contact.map(str::to_uppercase);
        let of_conversation =
            ResourceState { kind: ResourceKind::Conversation, uid: "c".to_owned(), ..of_message.clone() };
        mirror(&*store, token, vec![of_message, of_conversation]).await;
    }
    let known = one(&*store, ResourceKind::Conversation, "c").await;
    assert_eq!((known.keys.contact_uid.as_deref(), known.name.as_deref()), (Some("ada"), Some("ADA")));
    assert_eq!(known.at, second(2));
}

async fn an_event_that_is_forgotten_leaves_nothing_behind_but_the_picture(store: Home) {
    let token = at_the_mirror(&*store).await;
    for (uid, at) in [("told", 1), ("skipped", 2), ("unmirrored", 3)] {
        accept(&*store, event(uid, second(at))).await;
    }
    let ids: Vec<_> = store.unmirrored(9).await.unwrap().iter().map(|one| one.event.id).collect();
    let invoice = ResourceState { event_id: ids[0], ..state(ResourceKind::Invoice, "i", 1, 0) };
    let mirrored = Mirrored {
        states: vec![invoice],
        told_by: vec![(ResourceKind::Invoice, "i".to_owned(), ids[0])],
        skipped: vec![SkippedEvent { event_id: ids[1], reason: "no uid".to_owned() }],
        ..through(token, &ids[..2])
    };
    assert!(store.mirror(&mirrored).await.unwrap());
    let behind = store.events_of(ResourceKind::Invoice, "i", first(9)).await.unwrap();
    assert_eq!(behind.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[0]]);

    assert_eq!(forget_before(&*store, second(9), 10).await.unwrap(), 3);
    assert_eq!(store.events_of(ResourceKind::Invoice, "i", first(9)).await.unwrap(), []);
    assert_eq!(store.skipped(first(9)).await.unwrap(), []);
    assert_eq!(waiting(&*store, 9).await, Vec::<String>::new());
    assert_eq!(one(&*store, ResourceKind::Invoice, "i").await.uid, "i");
}

async fn what_was_merged_leads_to_what_stays(store: Home) {
    let token = at_the_mirror(&*store).await;
    let merged = |uid: &str, into: Option<&str>| {
        let mut state = state(ResourceKind::Contact, uid, 1, 0);
        state.keys.merged_into = into.map(str::to_owned);
        state
    };
    let states =
        vec![merged("a", Some("b")), merged("b", Some("c")), merged("c", None), merged("d", Some("c"))];
    mirror(&*store, token, states).await;
    // A circle is no reason to go round and round.
    mirror(&*store, token, vec![merged("x", Some("y")), merged("y", Some("x"))]).await;
    let uids = async |uid: &str| {
        let mut uids = store.merged_uids(ResourceKind::Contact, uid).await.unwrap();
        uids.sort();
        uids.concat()
    };
    assert_eq!((uids("c").await, uids("b").await, uids("a").await), ("abcd".into(), "ab".into(), "a".into()));
    assert_eq!((uids("x").await, uids("nobody").await), ("xy".into(), "nobody".into()));
    let filter = ResourceFilter {
        keys: ResourceKeys { merged_into: Some("c".to_owned()), ..ResourceKeys::default() },
        ..ResourceFilter::default()
    };
    let found = store.resources(ResourceKind::Contact, &filter, first(9)).await.unwrap();
    assert_eq!(found.iter().map(|one| one.uid.as_str()).collect::<String>(), "db");
}
