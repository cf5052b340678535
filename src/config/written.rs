//! A value as it was written, before anything is known of its meaning.

use config::{Map, Value, ValueKind};

use super::Origin;

/// A value as it was written. Variables and flags are text by nature: there, `5` and `true` are read as what they
/// look like; in a file, a number is a number.
pub(super) struct Written {
    value: Value,
    /// Where it is from if it doesn't say: an empty table has nothing that could.
    home: Origin,
}

impl Written {
    pub(super) const fn new(value: Value, home: Origin) -> Self {
        Self { value, home }
    }

    /// Where it was written. A table is where the first of its values is.
    pub(super) fn origin(&self) -> Origin {
        fn mark(value: &Value) -> Option<&str> {
            value.origin().or_else(|| match &value.kind {
                ValueKind::Table(table) => table.values().find_map(mark),
                _ => None,
            })
        }
        mark(&self.value).map_or_else(|| self.home.clone(), Origin::read)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match &self.value.kind {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if self.is_plain_text() => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match &self.value.kind {
            ValueKind::Boolean(value) => Some(*value),
            ValueKind::String(text) if self.is_plain_text() => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        let ValueKind::Array(values) = &self.value.kind else { return None };
        values
            .iter()
            .map(|value| match &value.kind {
                ValueKind::String(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn table(&self) -> Option<Map<String, Value>> {
        match &self.value.kind {
            ValueKind::Table(table) => Some(table.clone()),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<Vec<Value>> {
        match &self.value.kind {
            ValueKind::Array(values) => Some(values.clone()),
            _ => None,
        }
    }

    /// The value as TOML has it, cut when it is long.
    pub(super) fn shown(&self) -> String {
        let text = shown(&self.value.kind);
        match text.char_indices().nth(100) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// All of the value, as TOML has it; nothing for an empty text, which counts as not set.
    pub(super) fn whole(&self) -> String {
        if self.text() == Some("") { String::new() } else { shown(&self.value.kind) }
    }

    fn is_plain_text(&self) -> bool {
        matches!(self.origin(), Origin::Variable(_) | Origin::Flag(_))
    }
}

fn shown(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(values) => {
            format!("[{}]", values.iter().map(|value| shown(&value.kind)).collect::<Vec<_>>().join(", "))
        }
        // What is in a table where none belongs may be anything, a secret too.
        ValueKind::Table(_) => "a table".to_owned(),
        other => other.to_string(),
    }
}
