//! Who is taken for the person, and who is not.

use serde_json::{Value, json};

use super::*;
use crate::model::ResourceKeys;

const ANN: &str = "+18015550123";

fn person() -> Person {
    Person::known_as(Traces::of(&[], &[], &[ANN.to_owned()]).unwrap())
}

fn resource(kind: ResourceKind, uid: &str, keys: ResourceKeys, data: &Value) -> Resource {
    Resource {
        kind,
        uid: uid.to_owned(),
        at: "2026-11-20T10:00:00Z".parse().unwrap(),
        keys,
        name: Some(uid.to_uppercase()),
        data: data.to_string(),
        talk: None,
    }
}

fn contact(uid: &str, addresses: &[&str]) -> Resource {
    let channels: Vec<_> = addresses.iter().map(|address| json!({"identifier": address})).collect();
    let data = json!({"channels": channels, "conversations": [{"uid": format!("{uid}-talk")}]});
    resource(ResourceKind::Contact, uid, ResourceKeys::default(), &data)
}

fn conversation(uid: &str, contact: &str, address: &str) -> Resource {
    let keys = ResourceKeys {
        contact_uid: Some(contact.to_owned()),
        channel_identifier: Some(address.to_owned()),
        ..ResourceKeys::default()
    };
    resource(ResourceKind::Conversation, uid, keys, &json!({}))
}

/// As it is gone through the mirror.
fn learn(person: &mut Person, resources: &[Resource]) {
    for _ in 0..3 {
        resources.iter().for_each(|resource| person.meet(resource));
    }
    resources.iter().for_each(|resource| person.compare(resource));
    person.leave_shared();
}

fn uids(person: &Person) -> Vec<&str> {
    person.contacts().keys().map(String::as_str).collect()
}

#[test]
fn what_a_contact_has_besides_is_looked_for_and_leads_to_no_further_contact() {
    let mut ann = person();
    let placeholder = "noemail@noemail.com";
    learn(
        &mut ann,
        &[
            contact("cyd", &[placeholder, "cyd@example.com"]),
            contact("bob", &[placeholder, "bob@example.com"]),
            contact("ann", &["(801) 555-0123", placeholder, "ann@example.com"]),
            contact("mentions", &[]),
        ],
    );
    assert_eq!(uids(&ann), ["ann"]);
    assert_eq!(ann.contacts()["ann"], Known { name: Some("ANN".to_owned()), by: "18015550123".to_owned() });
    assert_eq!(ann.traces().emails().collect::<Vec<_>>(), ["ann@example.com"]);
    assert!(ann.traces().has_uid("ann-talk") && !ann.traces().has_uid("bob-talk"));
    assert_eq!(ann.shared().collect::<Vec<_>>(), [(placeholder, 2)]);
}

#[test]
fn what_was_given_counts_however_many_have_it() {
    let mut all = person();
    let contacts: Vec<_> = (0..9).map(|n| contact(&n.to_string(), &[ANN, "home@example.com"])).collect();
    learn(&mut all, &contacts);
    assert_eq!(all.contacts().len(), 9);
    // All who have it are the person.
    assert_eq!((all.shared().count(), all.traces().emails().count()), (0, 1));
}

#[test]
fn a_conversation_tells_of_a_contact_of_which_nothing_else_is_known() {
    let mut ann = person();
    learn(
        &mut ann,
        &[
            conversation("by mail", "ann", "ann@example.com"),
            conversation("by phone", "ann", ANN),
            conversation("bob's", "bob", "bob@example.com"),
        ],
    );
    assert_eq!(uids(&ann), ["ann"]);
    assert_eq!(ann.traces().emails().collect::<Vec<_>>(), ["ann@example.com"]);
}

#[test]
fn merged_contacts_are_one_person() {
    let mut ann = person();
    let mut went = contact("went", &["801-555-0123"]);
    went.keys.merged_into = Some("stays".to_owned());
    learn(&mut ann, &[contact("stays", &["new@example.com"]), went]);
    assert_eq!(uids(&ann), ["stays", "went"]);
    assert_eq!(ann.contacts()["stays"].by, "merged with went");
    assert_eq!(ann.contacts()["stays"].name.as_deref(), Some("STAYS"));
    assert!(ann.traces().known_as("new@example.com").is_some());
}

#[test]
fn the_business_s_own_number_is_nobody_s() {
    let mut ann = person();
    let shop = "+18015550000";
    let call = json!({"customerPhoneNumber": "+18015550999", "locationPhoneNumber": shop});
    learn(
        &mut ann,
        &[contact("ann", &[ANN, shop]), resource(ResourceKind::Call, "call", ResourceKeys::default(), &call)],
    );
    assert_eq!(ann.traces().phones().collect::<Vec<_>>(), ["18015550123"]);
    assert_eq!(ann.shared().collect::<Vec<_>>(), [("18015550000", 1)]);
}
