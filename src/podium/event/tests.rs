use std::time::{Duration, Instant};

use serde_json::json;

use super::super::samples;
use super::*;

fn sample(event_type: &EventType) -> Value {
    serde_json::from_str(samples::body(event_type).unwrap()).unwrap()
}

/// Decodes a sample in which the value at `pointer` is replaced.
fn decode_with(event_type: &EventType, pointer: &str, value: Value) -> Decoded {
    let mut sample = sample(event_type);
    *sample.pointer_mut(pointer).unwrap() = value;
    decode(sample.to_string().as_bytes())
}

fn error_of(decoded: &Decoded) -> String {
    decoded.event.as_ref().unwrap_err().to_string()
}

#[test]
fn a_payload_that_does_not_fit_keeps_its_type_uid_and_keys() {
    let expected = decode(samples::body(&EventType::MessageReceived).unwrap().as_bytes());
    let decoded = decode_with(&EventType::MessageReceived, "/data/items/0/type", json!(3));
    assert_eq!(error_of(&decoded), "data.items[0].type: a number where a string was expected");
    assert_eq!(decoded.event_type, EventType::MessageReceived);
    assert_eq!((decoded.event_uid, decoded.keys), (expected.event_uid, expected.keys));
}

#[test]
fn a_payload_that_does_not_fit_is_told_by_place_and_kind() {
    use EventType::{ContactUpdated, InvoiceRefundCreated, ReviewCreated};
    for (event_type, pointer, value, expected) in [
        (InvoiceRefundCreated, "/data", json!(["a"]), "data: an array where an object was expected"),
        (InvoiceRefundCreated, "/data", json!(null), "data: null where an object was expected"),
        (
            InvoiceRefundCreated,
            "/data/amount",
            json!("12"),
            "data.amount: a string where a whole number was expected",
        ),
        (
            InvoiceRefundCreated,
            "/data/amount",
            json!(1.5),
            "data.amount: a number where a whole number was expected",
        ),
        (
            InvoiceRefundCreated,
            "/data/surchargeRate",
            json!("x"),
            "data.surchargeRate: a string where a number was expected",
        ),
        (
            InvoiceRefundCreated,
            "/data/payments/0/refunds/0/createdAt",
            json!("soon"),
            "data.payments[0].refunds[0].createdAt: a string where an ISO 8601 time was expected",
        ),
        (
            ContactUpdated,
            "/data/after/address",
            json!([]),
            "data.after.address: an array where an object was expected",
        ),
        (
            ContactUpdated,
            "/data/before/tags",
            json!({}),
            "data.before.tags: an object where an array was expected",
        ),
        (
            ContactUpdated,
            "/data/after/channels/1/type",
            json!(true),
            "data.after.channels[1].type: a boolean where a string was expected",
        ),
        (
            ReviewCreated,
            "/data/needsResponse",
            json!("no"),
            "data.needsResponse: a string where a boolean was expected",
        ),
    ] {
        assert_eq!(error_of(&decode_with(&event_type, pointer, value)), expected);
    }
}

#[test]
fn an_error_never_repeats_what_somebody_wrote() {
    let private = "call me, expected a secret";
    for (pointer, value) in [
        ("/data", json!(private)),
        ("/data/createdAt", json!(private)),
        ("/data/items", json!(private)),
        ("/data/items/0", json!(private)),
        ("/data/conversation", json!(private)),
        ("/data/body", json!({ private: private })),
        ("/data/body", json!([private])),
    ] {
        let decoded = decode_with(&EventType::MessageReceived, pointer, value);
        let error = format!("{} {:?}", error_of(&decoded), decoded.event);
        assert!(!error.contains("call me") && !error.contains("secret"), "{error}");
        assert!(!error.contains("something else") && error.len() < 300, "{error}");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    for (body, expected) in [
        (&b""[..], "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        (b"{\"data\":\n  oops}", "the body is not JSON: expected value at line 2 column 3"),
        (b"[1]", "the body is JSON but not an object"),
        (b"\"text\"", "the body is JSON but not an object"),
        (b"{}", "data is missing"),
        (b"{\"data\":\"\xff\"}", "the body is not UTF-8: byte 10 is not part of a character"),
        (
            br#"{"data":{"a":1e999}}"#,
            "data can't be read: number out of range at line 1 column 10, counted from where data begins",
        ),
    ] {
        assert_eq!(error_of(&decode(body)), expected);
    }
}

#[test]
fn a_body_that_is_not_utf8_still_has_its_type_and_keys() {
    let sample = samples::body(&EventType::MessageReceived).unwrap();
    let expected = decode(sample.as_bytes());
    let body: Vec<u8> = sample.bytes().map(|byte| if byte == b'!' { 0xff } else { byte }).collect();
    let decoded = decode(&body);
    assert!(matches!(decoded.event, Err(DecodeError::NotUtf8 { .. })));
    assert_eq!(decoded.event_type, EventType::MessageReceived);
    assert_eq!((decoded.event_uid, decoded.keys), (expected.event_uid, expected.keys));
}

#[test]
fn a_uid_with_bytes_that_are_no_text_is_no_uid() {
    let decoded = decode(
        b"{\"data\":{\"uid\":\"\xff\"},\"metadata\":{\"eventType\":\"a\xff\",\"eventUid\":\"b\xfe\"}}",
    );
    assert_eq!(decoded.event_type.as_str(), UNKNOWN);
    assert_eq!((decoded.event_uid, decoded.keys), (None, Keys::default()));
}

#[test]
fn half_a_character_in_a_text_leaves_the_keys() {
    let sample = samples::body(&EventType::MessageReceived).unwrap();
    let expected = decode(sample.as_bytes());
    let decoded = decode(sample.replace("Hi!", r"\ud83d").as_bytes());
    assert!(matches!(decoded.event, Err(DecodeError::Unreadable { .. })));
    assert_eq!(decoded.keys, expected.keys);
}

#[test]
fn an_event_without_a_readable_type_keeps_its_data() {
    for metadata in [json!({}), json!({"eventType": 7}), json!({"eventType": ""}), json!("text"), json!([])] {
        let decoded = decode(json!({"data": {"uid": "u"}, "metadata": metadata}).to_string().as_bytes());
        assert_eq!(decoded.event_type.as_str(), UNKNOWN);
        assert_eq!(decoded.event, Ok(Event::Other(json!({"uid": "u"}))));
        assert_eq!(decoded.keys.subject_uid.as_deref(), Some("u"));
    }
}

#[test]
fn a_text_is_a_test_only_without_metadata() {
    let is_test = |body: Value| matches!(decode(body.to_string().as_bytes()).event, Ok(Event::Test(_)));
    assert!(is_test(json!({"data": "any text"})));
    assert!(is_test(json!({"data": "any text", "metadata": null})));
    assert!(!is_test(json!({"data": "any text", "metadata": {}})));
    assert!(!is_test(json!({"data": {"text": "any text"}})));
    let decoded = decode(br#"{"data":"any text","metadata":{"eventType":"message.received"}}"#);
    assert_eq!(error_of(&decoded), "data: a string where an object was expected");
}

#[test]
fn nesting_10_000_deep_is_an_answer_at_once() {
    let begin = Instant::now();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":["#, "]}]")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let named = r#"{"eventType":"message.sent","eventUid":"e"}"#;
        let decoded = decode(format!(r#"{{"data":{deep},"metadata":{named}}}"#).as_bytes());
        assert_eq!(
            (&decoded.event_type, &decoded.event),
            (&EventType::MessageSent, &Err(DecodeError::TooDeep))
        );

        let data = format!(r#"{{"uid":"m","body":{deep},"conversation":{{"uid":"c"}}}}"#);
        let decoded = decode(format!(r#"{{"data":{data},"metadata":{named}}}"#).as_bytes());
        assert_eq!(decoded.event, Err(DecodeError::TooDeep));
        assert_eq!(decoded.keys.conversation_uid.as_deref(), Some("c"));

        let decoded = decode(format!(r#"{{"data":{{}},"metadata":{deep},"more":{deep}}}"#).as_bytes());
        assert_eq!(decoded.event, Ok(Event::Other(json!({}))));
        let _ = format!("{decoded:?}");

        for body in [&deep, &open.repeat(10_000), &format!(r#"{{"data":{}"#, open.repeat(10_000))] {
            assert!(decode(body.as_bytes()).event.is_err());
        }
    }
    // Milliseconds in truth: the bound is for a busy machine and an effort that grows with the square.
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// Writes a value with the properties of every object in reverse, and an unknown one in front.
fn in_other_words(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            text.push_str(r#"{ "zzUnknown" : [ { "deeper" : null } ]"#);
            for (name, field) in fields.iter().rev() {
                text.push_str(&format!(" ,\n{} : ", Value::from(name.as_str())));
                in_other_words(field, text);
            }
            text.push('}');
        }
        Value::Array(elements) => {
            text.push('[');
            for (place, element) in elements.iter().enumerate() {
                text.push_str(if place > 0 { " ,\t" } else { " " });
                in_other_words(element, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[test]
fn order_and_unknown_properties_change_nothing() {
    for event_type in EventType::ALL {
        let body = samples::body(event_type).unwrap();
        let mut other = String::new();
        in_other_words(&sample(event_type), &mut other);
        assert_eq!(decode(other.as_bytes()), decode(body.as_bytes()), "{event_type}");
    }
}

#[test]
fn every_property_may_be_null_or_missing() {
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        let Value::Object(fields) = value else { return };
        for (name, field) in fields {
            let pointer = format!("{at}/{name}");
            pointers(field, &pointer, found);
            found.push(pointer);
        }
    }
    for event_type in EventType::ALL {
        let whole = sample(event_type);
        let mut found = Vec::new();
        pointers(&whole["data"], "/data", &mut found);
        assert!(!found.is_empty());
        for pointer in found {
            let mut null = whole.clone();
            *null.pointer_mut(&pointer).unwrap() = Value::Null;
            let mut missing = whole.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            missing.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let [null, missing] = [null, missing].map(|body| decode(body.to_string().as_bytes()));
            assert!(null.event.is_ok(), "{event_type} {pointer}");
            assert_eq!(null, missing, "{event_type} {pointer}");
        }
    }
}
