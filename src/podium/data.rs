//! Reading an event's `data` as JSON, and as much of it as possible when not all of it can be read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::decode_error::DecodeError;

/// How far down [`salvage`] looks: as deep as the deepest of the [keys](super::Keys) lies.
pub(super) const DEPTH: usize = 5;

/// Reads `data`. When it can't be read as a whole, what can be comes with the error: the event then still
/// has its conversation and its place in the order.
pub(super) fn read(raw: &RawValue) -> (Value, Option<DecodeError>) {
    match serde_json::from_str(raw.get()) {
        Ok(value) => (value, None),
        Err(error) => (salvage(raw, DEPTH), Some(DecodeError::of_data(&error))),
    }
}

/// The value with null in place of every part that can't be read. Each level is scanned once more, and there
/// are [`DEPTH`] of them: the effort grows with the text's length, not with its nesting.
fn salvage(raw: &RawValue, depth: usize) -> Value {
    if let Ok(value) = serde_json::from_str(raw.get()) {
        return value;
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Ok(fields) = BTreeMap::<String, &RawValue>::deserialize(raw) {
        return fields.into_iter().map(|(name, raw)| (name, salvage(raw, depth - 1))).collect();
    }
    match Vec::<&RawValue>::deserialize(raw) {
        Ok(elements) => elements.into_iter().map(|raw| salvage(raw, depth - 1)).collect(),
        Err(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> (Value, Option<DecodeError>) {
        read(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn half_a_character_costs_the_text_that_it_is_in_and_no_more() {
        let (value, error) = read_text(r#"{"uid":"m","items":[{"body":"\ud83d"},{"body":"whole"}]}"#);
        assert_eq!(value, json!({"uid": "m", "items": [{"body": null}, {"body": "whole"}]}));
        let message = error.unwrap().to_string();
        assert!(
            message.starts_with("data can't be read: ") && message.contains("line 1 column"),
            "{message}"
        );
    }

    #[test]
    fn nesting_without_end_costs_the_value_that_it_is_in() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            let (value, error) = read_text(&format!(r#"{{"body":{deep},"conversation":{{"uid":"c"}}}}"#));
            assert_eq!(value["conversation"]["uid"], "c");
            assert_eq!(error, Some(DecodeError::TooDeep));
        }
    }
}
