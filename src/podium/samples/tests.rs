use std::collections::BTreeSet;

use serde_json::json;

use super::super::event::{Event, decode};
use super::super::event_type::PayloadKind;
use super::*;

fn value_of(event_type: &EventType) -> Value {
    serde_json::from_str(body(event_type).unwrap()).unwrap()
}

#[test]
fn every_sample_is_the_typed_event_that_its_name_says() {
    for event_type in EventType::ALL {
        let decoded = decode(body(event_type).unwrap().as_bytes());
        assert_eq!(&decoded.event_type, event_type);
        assert_eq!(decoded.version.as_deref(), Some("2021.04.01"));
        let kind = match decoded.event.unwrap() {
            Event::Message(_) => PayloadKind::Message,
            Event::ContactChange(_) => PayloadKind::ContactChange,
            Event::Invoice(_) => PayloadKind::Invoice,
            Event::Review(_) => PayloadKind::Review,
            Event::ReviewInvite(_) => PayloadKind::ReviewInvite,
            Event::ReviewResponse(_) => PayloadKind::ReviewResponse,
            Event::Call(_) => PayloadKind::Call,
            Event::Test(_) | Event::Other(_) => PayloadKind::Other,
        };
        assert_eq!(kind, event_type.payload_kind(), "{event_type}");
    }
}

/// A sample with a property that no struct has would lose it, and one with an unlisted word would have `Other`.
#[test]
fn no_sample_has_anything_that_the_types_do_not_know() {
    for event_type in EventType::ALL {
        let event = decode(body(event_type).unwrap().as_bytes()).event.unwrap();
        assert!(!format!("{event:?}").contains("Other("), "{event_type}");
        assert_contained(&value_of(event_type)["data"], &serde_json::to_value(event).unwrap(), "data");
    }
}

fn assert_contained(sample: &Value, decoded: &Value, path: &str) {
    match (sample, decoded) {
        (Value::Object(fields), Value::Object(decoded)) => {
            for (name, field) in fields {
                let path = format!("{path}.{name}");
                assert_contained(field, decoded.get(name).unwrap_or_else(|| panic!("{path} is lost")), &path);
            }
        }
        (Value::Array(elements), Value::Array(decoded)) => {
            assert_eq!(elements.len(), decoded.len(), "{path}");
            for (element, decoded) in elements.iter().zip(decoded) {
                assert_contained(element, decoded, path);
            }
        }
        (Value::Number(number), Value::Number(decoded)) => {
            assert_eq!(number.as_f64(), decoded.as_f64(), "{path}");
        }
        _ => assert_eq!(sample, decoded, "{path}"),
    }
}

#[test]
fn the_keys_of_the_samples_are_what_their_payloads_name() {
    let table: String = EventType::ALL
        .iter()
        .map(|event_type| {
            let keys = decode(body(event_type).unwrap().as_bytes()).keys;
            let mut row = format!("{event_type}\n");
            for (name, value) in [
                ("subject", keys.subject_uid.clone()),
                ("conversation", keys.conversation_uid.clone()),
                ("contact", keys.contact_uid.clone()),
                ("location", keys.location_uid.clone()),
                ("organization", keys.organization_uid.clone()),
                ("occurred at", keys.occurred_at.map(|time| time.to_string())),
                ("ordered by", keys.ordering_key(event_type)),
            ] {
                if let Some(value) = value {
                    row += &format!("  {name:<13}{value}\n");
                }
            }
            row
        })
        .collect();
    insta::assert_snapshot!(table);
}

#[test]
fn all_samples_are_different_events() {
    let uids: BTreeSet<_> = EventType::ALL
        .iter()
        .map(|event_type| value_of(event_type)["metadata"]["eventUid"].to_string())
        .collect();
    assert_eq!(uids.len(), EventType::ALL.len());
}

#[test]
fn the_portals_test_is_recognised() {
    let decoded = decode(SEND_TEST.as_bytes());
    assert_eq!(decoded.event_type.as_str(), "webhook.test");
    assert_eq!(decoded.event, Ok(Event::Test("Data for the test webhook event :)".to_owned())));
    assert_eq!((decoded.event_uid, decoded.keys), (None, Keys::default()));
}

#[test]
fn there_is_no_sample_of_an_unfamiliar_type() {
    let booked = EventType::from("appointment.booked");
    assert_eq!(body(&booked), None);
    assert_eq!(fresh(&booked, &fresh_as("a")), None);
}

fn fresh_as(name: &str) -> Fresh {
    Fresh {
        event_uid: format!("event-{name}"),
        subject_uid: format!("subject-{name}"),
        conversation_uid: Some(format!("conversation-{name}")),
        occurred_at: "2026-11-22T10:00:00.25Z".parse().unwrap(),
    }
}

#[test]
fn a_fresh_sample_is_a_new_event_about_a_new_subject() {
    for event_type in EventType::ALL {
        let sample = decode(body(event_type).unwrap().as_bytes());
        let decoded = decode(&fresh(event_type, &fresh_as("a")).unwrap());
        assert_eq!(&decoded.event_type, event_type);
        assert_eq!(decoded.event_uid.as_deref(), Some("event-a"));
        assert_eq!(decoded.keys.subject_uid.as_deref(), Some("subject-a"));
        assert_eq!(decoded.keys.occurred_at, Some(fresh_as("a").occurred_at), "{event_type}");
        let conversation = sample.keys.conversation_uid.map(|_| "conversation-a".to_owned());
        assert_eq!(decoded.keys.conversation_uid, conversation, "{event_type}");
        assert_eq!(decoded.keys.location_uid, sample.keys.location_uid);
        assert!(decoded.event.is_ok(), "{event_type}");
    }
}

#[test]
fn a_fresh_sample_without_a_conversation_given_keeps_its_own() {
    let given = Fresh { conversation_uid: None, ..fresh_as("a") };
    let decoded = decode(&fresh(&EventType::CallMissed, &given).unwrap());
    let sample = decode(body(&EventType::CallMissed).unwrap().as_bytes());
    assert_eq!(decoded.keys.conversation_uid, sample.keys.conversation_uid);
}

#[test]
fn the_parts_of_two_fresh_samples_are_different_parts() {
    let parts = |name: &str| {
        let sent: Value =
            serde_json::from_slice(&fresh(&EventType::MessageSent, &fresh_as(name)).unwrap()).unwrap();
        let paid = fresh(&EventType::InvoicePaymentSucceeded, &fresh_as(name)).unwrap();
        let paid: Value = serde_json::from_slice(&paid).unwrap();
        [&sent["data"]["items"][0], &sent["data"]["items"][1], &paid["data"]["payments"][0]]
            .map(|part| part["uid"].as_str().unwrap().to_owned())
    };
    assert_eq!(parts("a"), parts("a"));
    let uids: BTreeSet<_> = [parts("a"), parts("b")].into_iter().flatten().collect();
    assert_eq!(uids.len(), 6);
}

#[test]
fn the_times_of_a_fresh_sample_keep_their_distance() {
    let call = fresh(&EventType::CallVoicemailLeft, &fresh_as("a")).unwrap();
    let call: Value = serde_json::from_slice(&call).unwrap();
    assert_eq!(call["data"]["endedAt"], json!("2026-11-22T10:00:00.25Z"));
    assert_eq!(call["data"]["startedAt"], json!("2026-11-22T09:58:47.712486Z"));
}
