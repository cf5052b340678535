//! One thing as a person reads it: a line for each of its values, by where it stands in it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::on_one_line;
use crate::cli::plain::plain;

/// What is nested deeper stands on one line.
const DEEPEST: usize = 16;

/// The lines, in the order of the API. What is not known has none.
pub(super) fn lines(json: &RawValue) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    add(&mut lines, String::new(), json, 0);
    lines
}

fn add(lines: &mut Vec<(String, String)>, at: String, value: &RawValue, depth: usize) {
    let json = value.get();
    if depth < DEEPEST {
        if let Ok(Members(members)) = serde_json::from_str(json) {
            let dot = if at.is_empty() { "" } else { "." };
            for (name, member) in members {
                add(lines, format!("{at}{dot}{}", plain(&name)), member, depth + 1);
            }
            return;
        }
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) {
            for (number, item) in items.into_iter().enumerate() {
                add(lines, format!("{at}[{number}]"), item, depth + 1);
            }
            return;
        }
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) => lines.push((at, plain(&text))),
        Err(_) if json == "null" => {}
        Err(_) => lines.push((at, on_one_line(json))),
    }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_line_that_says_where_it_stands() {
        let json = r#"{"uid":"m","failureReason":null,"conversation":{"channel":{"type":"phone"}},
            "items":[{"body":"two\nlines"},{"size":1.50}],"tags":[]}"#;
        let lines = lines(serde_json::from_str(json).unwrap());
        let lines: Vec<_> = lines.iter().map(|(at, value)| (at.as_str(), value.as_str())).collect();
        assert_eq!(
            lines,
            [
                ("uid", "m"),
                ("conversation.channel.type", "phone"),
                ("items[0].body", "two\\nlines"),
                ("items[1].size", "1.50"),
            ]
        );
    }

    #[test]
    fn neither_a_name_nor_a_text_reaches_a_terminal_as_an_order() {
        let json = r#"{"a\u001b[2J":"\u001b]0;x\u0007"}"#;
        let lines = lines(serde_json::from_str(json).unwrap());
        assert_eq!(lines, [("a\\u{1b}[2J".to_owned(), "\\u{1b}]0;x\\u{7}".to_owned())]);
    }
}
