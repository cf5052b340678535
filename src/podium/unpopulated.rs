//! How Podium writes a field that holds nothing: arrays as `[]`, objects as `{}`, anything else as `null`,
//! and in practice any of them as `null`. These functions are named in `#[serde(deserialize_with = …)]`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What [`Object`] says it expected.
pub(super) const EXPECTED_OBJECT: &str = "an object";

/// A struct that is read from an object and nothing else.
///
/// A derived `Deserialize` would also take an array as the fields in their order, and so make a
/// conversation's uid of whatever comes first in it.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED_OBJECT)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// An object or null.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let object = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(object.map(|Object(value)| value))
}

/// An array of objects, or null. Nulls in it are left out.
pub(super) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = list::<D, Object<T>>(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// An array of plain values, or null. Nulls in it are left out.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let values = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
    Ok(values.into_iter().flatten().flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Part {
        uid: Option<String>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Whole {
        #[serde(deserialize_with = "super::object")]
        part: Option<Part>,
        #[serde(deserialize_with = "super::objects")]
        parts: Vec<Part>,
        #[serde(deserialize_with = "super::list")]
        names: Vec<String>,
    }

    #[test]
    fn nothing_may_be_written_as_null_or_left_out() {
        let nothing = Whole::default();
        assert_eq!(serde_json::from_value::<Whole>(json!({})).unwrap(), nothing);
        let nulls = json!({"part": null, "parts": null, "names": null});
        assert_eq!(serde_json::from_value::<Whole>(nulls).unwrap(), nothing);
        let null_elements = json!({"parts": [null], "names": [null]});
        assert_eq!(serde_json::from_value::<Whole>(null_elements).unwrap(), nothing);
    }

    #[test]
    fn an_empty_object_is_an_object_that_holds_nothing() {
        let whole: Whole = serde_json::from_value(json!({"part": {}})).unwrap();
        assert_eq!(whole.part, Some(Part { uid: None }));
    }

    #[test]
    fn an_array_is_not_taken_for_an_object() {
        assert!(serde_json::from_value::<Whole>(json!({"part": ["uid"]})).is_err());
        assert!(serde_json::from_value::<Whole>(json!({"parts": [["uid"]]})).is_err());
    }
}
