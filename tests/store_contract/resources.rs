//! What the mirror shows: pages, filters, words.

use lectern::model::{
    PageRequest, Place, Resource, ResourceFilter, ResourceKeys, ResourceKind, ResourceState, Words,
};
use lectern::store::{LeaseToken, MirrorStore};

use crate::home::Home;
use crate::make::{first, second};
use crate::mirroring::{at_the_mirror, message, mirror, state};

crate::on_both_stores![
    a_resource_comes_back_as_it_went,
    a_list_is_newest_first_and_its_pages_neither_skip_nor_repeat,
    pages_are_not_disturbed_by_what_is_inserted_meanwhile,
    each_condition_narrows_a_list,
    both_databases_find_the_same_words,
    a_word_that_is_gone_is_not_found_any_more,
    the_events_behind_a_resource_come_newest_first,
    what_is_forgotten_by_name_is_found_no_more,
    a_conversation_that_loses_messages_is_what_its_others_come_to,
];

fn keys(value: &str) -> ResourceKeys {
    ResourceKeys {
        conversation_uid: Some(format!("conversation-{value}")),
        contact_uid: Some(format!("contact-{value}")),
        location_uid: Some(format!("location-{value}")),
        organization_uid: Some(format!("organization-{value}")),
        user_uid: Some(format!("user-{value}")),
        channel_type: Some(format!("type-{value}")),
        channel_identifier: Some(format!("identifier-{value}")),
        direction: Some(format!("direction-{value}")),
        status: Some(format!("status-{value}")),
        merged_into: Some(format!("merged-{value}")),
        is_awaiting: Some(value == "a"),
    }
}

async fn all(store: &dyn MirrorStore, kind: ResourceKind, filter: &ResourceFilter) -> Vec<String> {
    let found = store.resources(kind, filter, first(100)).await.unwrap();
    found.into_iter().map(|resource| resource.uid).collect()
}

async fn a_resource_comes_back_as_it_went(store: Home) {
    let token = at_the_mirror(&*store).await;
    let went = ResourceState {
        keys: keys("a"),
        name: Some("Zoë \0 \"O'Brien\" 🦉".to_owned()),
        words: Words::of(["Zoë"]),
        data: r#"{"body":"a\u0000b \" ' \\ 🦉","deep":[{"x":null}]}"#.to_owned(),
        ..state(ResourceKind::Call, "a/b c", 7, 0)
    };
    mirror(&*store, token, vec![went.clone()]).await;
    let came = store.resources(ResourceKind::Call, &ResourceFilter::default(), first(9)).await.unwrap();
    let expected = Resource {
        kind: went.kind,
        uid: went.uid.clone(),
        at: went.at,
        keys: went.keys.clone(),
        name: Some("Zoë \u{fffd} \"O'Brien\" 🦉".to_owned()),
        data: went.data.clone(),
        talk: None,
    };
    assert_eq!(came, std::slice::from_ref(&expected));
    let uids = ["a/b c".to_owned(), "unknown".to_owned()];
    assert_eq!(store.resources_by_uid(ResourceKind::Call, &uids).await.unwrap(), [expected]);
}

async fn walk(store: &dyn MirrorStore, filter: &ResourceFilter, limit: u32) -> Vec<String> {
    let (mut walked, mut below) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit, below };
        let found = store.resources(ResourceKind::Invoice, filter, page).await.unwrap();
        let Some(last) = found.last() else { return walked };
        below = Some(last.place());
        walked.extend(found.into_iter().map(|resource| resource.uid));
    }
}

async fn a_list_is_newest_first_and_its_pages_neither_skip_nor_repeat(store: Home) {
    let token = at_the_mirror(&*store).await;
    // Many of one moment: then the uid decides.
    let states: Vec<_> = (0..50)
        .map(|number| state(ResourceKind::Invoice, &format!("i{number:02}"), number / 10, 0))
        .collect();
    let mut expected: Vec<_> = states.iter().map(|state| (state.at, state.uid.clone())).collect();
    expected.sort();
    expected.reverse();
    let expected: Vec<_> = expected.into_iter().map(|(_, uid)| uid).collect();
    mirror(&*store, token, states).await;
    for limit in [1, 7, 50, 100] {
        assert_eq!(walk(&*store, &ResourceFilter::default(), limit).await, expected);
    }
}

async fn pages_are_not_disturbed_by_what_is_inserted_meanwhile(store: Home) {
    let token = at_the_mirror(&*store).await;
    let numbered = |number: i64| state(ResourceKind::Invoice, &format!("i{number}"), 10 * number, 0);
    mirror(&*store, token, (1..=4).map(numbered).collect()).await;
    let filter = ResourceFilter::default();
    let page = PageRequest { limit: 2, below: None };
    let found = store.resources(ResourceKind::Invoice, &filter, page).await.unwrap();
    assert_eq!(found.iter().map(|one| one.uid.as_str()).collect::<Vec<_>>(), ["i4", "i3"]);
    let newer = state(ResourceKind::Invoice, "newer", 99, 0);
    let between = state(ResourceKind::Invoice, "between", 15, 0);
    mirror(&*store, token, vec![newer, between]).await;
    let page = PageRequest { limit: 9, below: found.last().map(Resource::place) };
    let found = store.resources(ResourceKind::Invoice, &filter, page).await.unwrap();
    assert_eq!(found.iter().map(|one| one.uid.as_str()).collect::<Vec<_>>(), ["i2", "between", "i1"]);
}

async fn each_condition_narrows_a_list(store: Home) {
    let token = at_the_mirror(&*store).await;
    let make = |uid: &str, at, value: &str| {
        let words = Words::of([value]).marked("location", [value]);
        ResourceState { keys: keys(value), words, ..state(ResourceKind::Invoice, uid, at, 0) }
    };
    mirror(&*store, token, vec![make("of-a", 1, "a"), make("of-b", 2, "b")]).await;
    mirror(&*store, token, vec![state(ResourceKind::Invoice, "bare", 3, 0)]).await;
    let only = |set: fn(&mut ResourceKeys, ResourceKeys)| {
        let mut filter = ResourceFilter::default();
        set(&mut filter.keys, keys("a"));
        filter
    };
    let filters = [
        only(|to, from| to.conversation_uid = from.conversation_uid),
        only(|to, from| to.location_uid = from.location_uid),
        only(|to, from| to.organization_uid = from.organization_uid),
        only(|to, from| to.user_uid = from.user_uid),
        only(|to, from| to.channel_type = from.channel_type),
        only(|to, from| to.channel_identifier = from.channel_identifier),
        only(|to, from| to.direction = from.direction),
        only(|to, from| to.status = from.status),
        only(|to, from| to.merged_into = from.merged_into),
        only(|to, from| to.is_awaiting = from.is_awaiting),
        ResourceFilter { contact_uids: vec!["contact-x".into(), "contact-a".into()], ..Default::default() },
        ResourceFilter { before: Some(second(2)), ..Default::default() },
        ResourceFilter { words: Words::of(["A"]), ..Default::default() },
        ResourceFilter { words: Words::default().marked("location", ["a"]), ..Default::default() },
        ResourceFilter { keys: ResourceKeys { merged_into: None, ..keys("a") }, ..Default::default() },
    ];
    for filter in &filters {
        let filter = if filter.keys.contact_uid.is_some() {
            let mut both = filter.clone();
            both.contact_uids = both.keys.contact_uid.take().into_iter().collect();
            both
        } else {
            filter.clone()
        };
        assert_eq!(all(&*store, ResourceKind::Invoice, &filter).await, ["of-a"], "{filter:?}");
        assert_eq!(all(&*store, ResourceKind::Review, &filter).await, Vec::<String>::new());
        let below = Some(Place { at: second(1), uid: "of-a".to_owned() });
        let page = PageRequest { limit: 9, below };
        assert_eq!(store.resources(ResourceKind::Invoice, &filter, page).await.unwrap(), [], "{filter:?}");
    }
    let from = ResourceFilter { from: Some(second(2)), ..Default::default() };
    assert_eq!(all(&*store, ResourceKind::Invoice, &from).await, ["bare", "of-b"]);
    let none = ResourceFilter { contact_uids: vec!["' OR 1=1 --".into()], ..Default::default() };
    assert_eq!(all(&*store, ResourceKind::Invoice, &none).await, Vec::<String>::new());
}

async fn said(store: &dyn MirrorStore, token: LeaseToken, uid: &str, at: i64, text: &str) {
    let message = ResourceState { words: Words::of([text]), ..message(uid, "c", at, "inbound", "received") };
    mirror(store, token, vec![message]).await;
}

async fn both_databases_find_the_same_words(store: Home) {
    let token = at_the_mirror(&*store).await;
    let texts = [
        "Is the walnut sideboard still for sale?",
        "WALNUT; side-board, £4.50 or 3d",
        "Müller schrieb: die Straße ist offen",
        "müller's e-mail is a.b@example.com",
        "注文 は 届きました 🦉",
        "and or not near the walnuts",
        "Ἀρχιμήδης ΟΔΟΣ",
    ];
    for (number, text) in (0..).zip(texts) {
        said(&*store, token, &number.to_string(), 100 - number, text).await;
    }
    for (asked, expected) in [
        ("walnut", "01"),
        ("Walnut, SIDEBOARD!", "0"),
        ("side board", "1"),
        ("walnuts", "5"),
        ("nut", ""),
        ("MÜLLER", "23"),
        ("straße", "2"),
        ("strasse", ""),
        ("example.com", "3"),
        ("a.b@example.com", "3"),
        ("4.50", "1"),
        ("3d", "1"),
        ("届きました", "4"),
        ("and or not", "5"),
        ("near", "5"),
        ("οδος", "6"),
        ("' & | ! <-> * :* ( ) \" walnut", "01"),
    ] {
        let filter = ResourceFilter { words: Words::of([asked]), ..ResourceFilter::default() };
        assert_eq!(all(&*store, ResourceKind::Message, &filter).await.concat(), expected, "{asked}");
    }
}

async fn a_word_that_is_gone_is_not_found_any_more(store: Home) {
    let token = at_the_mirror(&*store).await;
    let named = |name: &str, at| ResourceState {
        words: Words::of([name]),
        ..state(ResourceKind::Contact, "p", at, 0)
    };
    let found = async |word: &str| {
        let filter = ResourceFilter { words: Words::of([word]), ..ResourceFilter::default() };
        !all(&*store, ResourceKind::Contact, &filter).await.is_empty()
    };
    mirror(&*store, token, vec![named("Smith", 1)]).await;
    mirror(&*store, token, vec![named("Jones", 2)]).await;
    assert!(found("jones").await && !found("smith").await);
    mirror(&*store, token, vec![named("Smith", 1)]).await;
    assert!(found("jones").await && !found("smith").await, "it came late");
    mirror(&*store, token, vec![named("", 3)]).await;
    assert!(!found("jones").await);
}

async fn the_events_behind_a_resource_come_newest_first(store: Home) {
    let token = at_the_mirror(&*store).await;
    for at in 1..=3 {
        crate::make::accept(&*store, crate::make::event(&format!("e{at}"), second(at))).await;
    }
    let ids: Vec<_> = store.unmirrored(9).await.unwrap().iter().map(|one| one.event.id).collect();
    for id in [ids[2], ids[0], ids[1], ids[0]] {
        let told = ResourceState { event_id: id, ..state(ResourceKind::Message, "m", 1, 0) };
        mirror(&*store, token, vec![told]).await;
    }
    let behind = store.events_of(ResourceKind::Message, "m", first(2)).await.unwrap();
    assert_eq!(behind.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[2], ids[1]]);
    let page = PageRequest { limit: 9, below: Some(ids[1]) };
    let rest = store.events_of(ResourceKind::Message, "m", page).await.unwrap();
    assert_eq!(rest.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(store.events_of(ResourceKind::Contact, "m", first(2)).await.unwrap(), []);
}

async fn what_is_forgotten_by_name_is_found_no_more(store: Home) {
    let token = at_the_mirror(&*store).await;
    crate::make::accept(&*store, crate::make::event("e1", second(1))).await;
    let event_id = store.unmirrored(9).await.unwrap()[0].event.id;
    let named =
        |kind, uid: &str| ResourceState { words: Words::of(["Smith"]), event_id, ..state(kind, uid, 1, 0) };
    let (contact, message) = (ResourceKind::Contact, ResourceKind::Message);
    for state in [named(contact, "p"), named(contact, "q"), named(message, "p")] {
        mirror(&*store, token, vec![state]).await;
    }
    let gone = [(contact, "p".to_owned()), (contact, "nobody".to_owned()), (message, "q".to_owned())];
    assert_eq!(store.forget_resources(&gone).await.unwrap(), 1);
    let smith = ResourceFilter { words: Words::of(["smith"]), ..ResourceFilter::default() };
    assert_eq!(all(&*store, contact, &smith).await, ["q"]);
    assert_eq!(all(&*store, message, &smith).await, ["p"]);
    assert_eq!(store.events_of(contact, "p", first(9)).await.unwrap(), []);
    assert_eq!(store.events_of(message, "p", first(9)).await.unwrap().len(), 1);
}

async fn a_conversation_that_loses_messages_is_what_its_others_come_to(store: Home) {
    let token = at_the_mirror(&*store).await;
    let mut said = vec![
        message("m1", "talk", 1, "inbound", "received"),
        message("m2", "talk", 2, "outbound", "sent"),
        message("m3", "talk", 3, "inbound", "received"),
        message("alone", "short", 4, "inbound", "received"),
    ];
    said[0].name = Some("Bob".to_owned());
    said[2].name = Some("Ann".to_owned());
    said.extend(["talk", "short"].map(|uid| state(ResourceKind::Conversation, uid, 4, 0)));
    mirror(&*store, token, said).await;
    let conversation = async |uid: &str| {
        let found = store.resources_by_uid(ResourceKind::Conversation, &[uid.to_owned()]).await.unwrap();
        found.into_iter().next().unwrap()
    };
    let before = conversation("talk").await;
    assert_eq!(
        (before.keys.is_awaiting, before.at, before.name.as_deref()),
        (Some(true), second(3), Some("Ann"))
    );

    let gone = ["m3", "alone"].map(|uid| (ResourceKind::Message, uid.to_owned()));
    assert_eq!(store.forget_resources(&gone).await.unwrap(), 2);
    let left = conversation("talk").await;
    assert_eq!((left.keys.is_awaiting, left.at, left.name.as_deref()), (Some(false), second(2), Some("Bob")));
    let talk = left.talk.unwrap();
    assert_eq!((talk.inbound, talk.outbound, talk.last_message_uid.as_str()), (1, 1, "m2"));
    let empty = conversation("short").await;
    assert_eq!((empty.talk, empty.keys.is_awaiting), (None, Some(false)));
}
