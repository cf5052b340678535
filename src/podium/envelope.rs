//! The outermost object of every body: `{"data": …, "metadata": {…}}`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode_error::DecodeError;
use super::{event_type::EventType, identifier};

/// What a body says of itself, with its `data` still unread.
///
/// Every field is read by itself and leniently: one that is missing, or is not of the type that Podium
/// documents, is absent, and takes nothing else with it. Because `data` and `metadata` are skipped as text at
/// first, no depth of nesting in one keeps the other from being read.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The text of `data`.
    pub data: Option<&'a RawValue>,
    /// Whether there is a `metadata` other than null.
    pub has_metadata: bool,
    /// The type, if one can be read.
    pub event_type: Option<EventType>,
    /// What stays the same over all attempts to deliver one event: a receiver recognises duplicates by it.
    pub event_uid: Option<String>,
    /// The version of the API that shaped the event, e.g. `2021.04.01`.
    pub version: Option<String>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a body.
    ///
    /// Podium's live events write `eventType` and `eventUid`, a sample in its documentation `event_type`. Both
    /// are read, the first is preferred.
    ///
    /// # Errors
    /// When the body is not JSON, or is JSON but no object.
    pub fn parse(body: &'a str) -> Result<Self, DecodeError> {
        let fields: Fields<'a> = serde_json::from_str(body).map_err(|error| DecodeError::of_body(&error))?;
        let metadata = fields.get("metadata").filter(|raw| raw.get() != "null");
        let named = metadata.and_then(|raw| Fields::deserialize(*raw).ok()).unwrap_or_default();
        let read = |names: &[&str]| names.iter().find_map(|name| identifier_in(named.get(*name)?));
        Ok(Self {
            data: fields.get("data").copied(),
            has_metadata: metadata.is_some(),
            event_type: read(&["eventType", "event_type"]).map(|text| EventType::from(text.as_str())),
            event_uid: read(&["eventUid", "event_uid"]),
            version: read(&["version"]),
        })
    }
}

/// An object with its values unread. Of several properties with one name the last counts, as in most of the
/// world's JSON.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn identifier_in(raw: &RawValue) -> Option<String> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    identifier::checked(&text).is_some().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_and_uid(body: &str) -> (Option<String>, Option<String>) {
        let envelope = Envelope::parse(body).unwrap();
        (envelope.event_type.map(|event_type| event_type.to_string()), envelope.event_uid)
    }

    #[test]
    fn both_spellings_are_read_and_camel_case_wins() {
        let pair = (Some("a".to_owned()), Some("b".to_owned()));
        for metadata in [
            r#"{"eventType":"a","eventUid":"b"}"#,
            r#"{"event_type":"a","event_uid":"b"}"#,
            r#"{"event_type":"x","event_uid":"x","eventType":"a","eventUid":"b"}"#,
            r#"{"event_type":"a","event_uid":"b","eventType":null,"eventUid":7}"#,
        ] {
            assert_eq!(type_and_uid(&format!(r#"{{"metadata":{metadata}}}"#)), pair, "{metadata}");
        }
    }

    #[test]
    fn a_field_of_another_type_is_absent_and_harms_no_other() {
        for other in ["null", "7", "true", "[]", "{}", "[[[[", "\"\"", r#""\u0000""#, r#""\ud800""#] {
            let other = other.replace("[[[[", &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)));
            let body = format!(r#"{{"metadata":{{"eventType":{other},"eventUid":"b","version":{other}}}}}"#);
            assert_eq!(type_and_uid(&body), (None, Some("b".to_owned())));
            let body = format!(r#"{{"metadata":{other}}}"#);
            assert_eq!(type_and_uid(&body), (None, None));
        }
    }

    #[test]
    fn nesting_in_data_does_not_hide_the_metadata() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let data = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            let body = format!(r#"{{"data":{data},"metadata":{{"eventType":"a","eventUid":"b"}}}}"#);
            let envelope = Envelope::parse(&body).unwrap();
            assert_eq!(envelope.data.map(RawValue::get), Some(data.as_str()));
            assert_eq!(envelope.event_uid.as_deref(), Some("b"));
        }
    }

    #[test]
    fn only_what_is_no_object_is_an_error() {
        for body in ["", "{", "null", "7", "\"text\"", "[]", "[1,2]", "{} {}", r#"{"data":}"#, "{'data':1}"] {
            assert!(Envelope::parse(body).is_err(), "{body:?}");
        }
        assert!(Envelope::parse("{}").is_ok());
        assert!(Envelope::parse(r#" {"data":1,"data":2} "#).is_ok());
    }
}
