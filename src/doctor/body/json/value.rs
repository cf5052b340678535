//! JSON as it is written: in its order, with its numbers and texts as they stand there.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deeply values may be nested. Podium's are nested a few levels; each one costs a further look at what is in it.
const DEEPEST: usize = 32;

/// A value.
pub(super) enum Value<'a> {
    Object(Vec<(Text<'a>, Value<'a>)>),
    Array(Vec<Value<'a>>),
    Text(Text<'a>),
    /// A number, `true`, `false` or `null`.
    Other(&'a str),
}

/// A text.
pub(super) struct Text<'a> {
    /// With its quotes and escapes.
    pub(super) written: &'a str,
    /// What that stands for.
    pub(super) meant: String,
}

impl<'a> Value<'a> {
    /// Reads a whole text.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        Self::at_depth(serde_json::from_str(text).ok()?, 0)
    }

    fn at_depth(raw: &'a RawValue, depth: usize) -> Option<Self> {
        let text = raw.get();
        if depth > DEEPEST {
            return None;
        }
        Some(match text.as_bytes().first()? {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let member = |(name, value): (&'a RawValue, &'a RawValue)| {
                    Some((Text::read(name.get())?, Self::at_depth(value, depth + 1)?))
                };
                Self::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let items = items.into_iter().map(|item| Self::at_depth(item, depth + 1));
                Self::Array(items.collect::<Option<_>>()?)
            }
            b'"' => Self::Text(Text::read(text)?),
            _ => Self::Other(text),
        })
    }
}

impl<'a> Text<'a> {
    fn read(written: &'a str) -> Option<Self> {
        Some(Self { written, meant: serde_json::from_str(written).ok()? })
    }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
