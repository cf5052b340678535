//! A table of texts in a handler's settings, such as `headers` or `env`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Names and texts. The texts may be secret: no message shows one.
#[derive(Default, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct TextTable(pub(super) BTreeMap<String, String>);

impl TryFrom<Value> for TextTable {
    type Error = String;

    // By hand, because serde's own messages repeat a value that does not fit.
    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Object(table) = value else {
            return Err("write a table of texts, such as { name = \"text\" }".to_owned());
        };
        let text = |(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            _ => Err(format!("the value of `{name}` is not a text: put it in quotes")),
        };
        table.into_iter().map(text).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_does_not_fit_is_named_but_not_shown() {
        let said = |value| serde_json::from_value::<TextTable>(value).err().unwrap().to_string();
        assert_eq!(said(json!({ "pin": 4711 })), "the value of `pin` is not a text: put it in quotes");
        assert_eq!(said(json!("hunter2")), "write a table of texts, such as { name = \"text\" }");
    }
}
