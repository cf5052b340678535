//! What holds for the decoding of any bytes at all.

use proptest::prelude::*;
use serde_json::Value;

use super::super::samples;
use super::{EventType, decode};

/// Any JSON value, with the words and names that matter among its texts.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        prop::sample::select(vec!["uid", "data", "metadata", "eventType", "items", "message.sent", "\u{0}"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6).prop_map(Value::from_iter),
        ]
    })
}

/// Every value inside a value, itself first.
fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(place, e)| (place.to_string(), e)).collect()
        }
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        _ => Vec::new(),
    };
    let inside = children
        .into_iter()
        .flat_map(|(step, child)| places(child).into_iter().map(move |place| format!("/{step}{place}")));
    std::iter::once(String::new()).chain(inside).collect()
}

fn check(body: &[u8]) -> Result<(), TestCaseError> {
    let decoded = decode(body);
    prop_assert_eq!(&decode(body), &decoded);
    let type_text = decoded.event_type.as_str();
    prop_assert!(!type_text.is_empty() && type_text.chars().count() <= 255 && !type_text.contains('\0'));
    let uids =
        [&decoded.event_uid, &decoded.version, &decoded.keys.subject_uid, &decoded.keys.conversation_uid];
    for uid in uids.into_iter().flatten() {
        prop_assert!(!uid.is_empty() && uid.chars().count() <= 255 && !uid.chars().any(char::is_control));
    }
    match &decoded.event {
        Ok(event) => prop_assert!(serde_json::to_string(event).is_ok()),
        Err(error) => prop_assert!(error.to_string().len() < 300, "{}", error),
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_decoded(body: Vec<u8>) {
        check(&body)?;
    }

    #[test]
    fn any_json_is_decoded(body in any_json()) {
        check(body.to_string().as_bytes())?;
    }

    #[test]
    fn a_sample_with_any_value_in_any_place_is_decoded(
        event_type in prop::sample::select(EventType::ALL),
        place: prop::sample::Index,
        value in any_json(),
    ) {
        let mut sample: Value = serde_json::from_str(samples::body(&event_type).unwrap()).unwrap();
        let places = places(&sample);
        *sample.pointer_mut(&places[place.index(places.len())]).unwrap() = value;
        check(sample.to_string().as_bytes())?;
    }

    #[test]
    fn a_sample_with_any_bytes_in_any_place_is_decoded(
        event_type in prop::sample::select(EventType::ALL),
        place: prop::sample::Index,
        removed in 0..20_usize,
        inserted in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut body = samples::body(&event_type).unwrap().as_bytes().to_vec();
        let start = place.index(body.len());
        let end = body.len().min(start + removed);
        body.splice(start..end, inserted);
        check(&body)?;
    }
}
