//! A handler's own settings: the keys of its `[[handlers]]` table that its kind understands.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::mistake::{listed, nearest};

/// The keys that every handler has. One of them misspelt looks like a key of the kind, and so is found here.
const OF_EVERY_HANDLER: [&str; 10] =
    ["name", "kind", "events", "locations", "when", "concurrency", "timeout", "ordering", "on_dead", "retry"];

/// The keys of a `[[handlers]]` table besides those that every handler has. They may hold secrets, so only their
/// names are printed.
#[derive(Clone, Default)]
pub struct Settings {
    table: Map<String, Value>,
    /// The keys that were taken out: a misspelt one is found among the rest.
    taken: Vec<&'static str>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.table.keys()).finish()
    }
}

impl Settings {
    /// Settings from a table.
    #[must_use]
    pub const fn new(table: Map<String, Value>) -> Self {
        Self { table, taken: Vec::new() }
    }

    /// Takes some keys out and reads them as a type of their own, whose fields have the names of `keys`. It is for keys
    /// that several kinds share; [`read`](Self::read) then reads the others.
    ///
    /// # Errors
    /// As [`read`](Self::read), of these keys alone.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        keys: &'static [&'static str],
    ) -> Result<T, SettingsError> {
        self.taken.extend(keys);
        let table = keys.iter().filter_map(|key| self.table.remove_entry(*key)).collect();
        Self::new(table).read()
    }

    /// Reads the settings as a kind's own type, which should be marked `#[serde(deny_unknown_fields)]` so that a
    /// misspelt key is an error. For secrets see [`secret`](super::secret()).
    ///
    /// # Errors
    /// When a key is unknown, missing or has a value of another shape; the message names it, and repeats no value,
    /// since any may be a secret. What the type's own `Deserialize` says is passed on as it is.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, SettingsError> {
        let settings = Value::Object(self.table);
        serde_path_to_error::deserialize(&settings).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            SettingsError(sentence(&path, &message, &settings, &self.taken))
        })
    }
}

/// A handler's settings can't be used; the message says which and why, and is shown to the person who wrote them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// Turns what serde says into a sentence for the person who wrote the settings.
fn sentence(path: &str, message: &str, settings: &Value, taken: &[&str]) -> String {
    let at_top = path == ".";
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (written, known) = rest.split_once('`').unwrap_or((rest, ""));
        let mut known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let mut everywhere: &[&str] = &[];
        // The path of an unknown key ends in that key.
        if at_top || path == written {
            known.extend(taken);
            everywhere = &OF_EVERY_HANDLER;
        }
        let hint = match nearest(written, known.iter().chain(everywhere).copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if known.is_empty() => "; this kind has no keys of its own".to_owned(),
            None => format!("; this kind's own keys are {}", listed(&known, "and")),
        };
        return format!("unknown key `{}`{hint}", if at_top { written } else { path });
    }
    if let Some(field) = message.strip_prefix("missing field `") {
        let field = field.split('`').next().unwrap_or(field);
        return format!(
            "the key `{field}` is missing{}",
            if at_top { String::new() } else { format!(" in `{path}`") }
        );
    }
    let message = match message.rsplit_once(", expected ") {
        Some((found, expected))
            if found.starts_with("invalid type: ") || found.starts_with("invalid value: ") =>
        {
            format!("must be {expected}, not {}", shape(at(settings, path)))
        }
        _ => message.to_owned(),
    };
    if at_top { message } else { format!("`{path}`: {message}") }
}

fn at<'a>(settings: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer: String =
        path.split(['.', '[']).map(|part| format!("/{}", part.trim_end_matches(']'))).collect();
    settings.pointer(&pointer)
}

const fn shape(value: Option<&Value>) -> &'static str {
    match value {
        Some(Value::Bool(_)) => "true or false",
        Some(Value::Number(_)) => "this number",
        Some(Value::String(_)) => "this text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "a table",
        Some(Value::Null) | None => "this",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Kind {
        #[expect(dead_code, reason = "only read")]
        url: String,
        #[expect(dead_code, reason = "only read")]
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[expect(dead_code, reason = "only read")]
        retries: Option<u8>,
        #[expect(dead_code, reason = "only read")]
        proxy: Option<Proxy>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Proxy {
        #[expect(dead_code, reason = "only read")]
        host: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    fn message<T: DeserializeOwned + std::fmt::Debug>(settings: Value) -> String {
        let Value::Object(settings) = settings else { unreachable!("a test gives a table") };
        Settings::new(settings).read::<T>().unwrap_err().to_string()
    }

    #[derive(Debug, Deserialize)]
    struct Shared {
        colour: Option<String>,
    }

    #[test]
    fn keys_that_are_taken_out_are_still_known() {
        let take = |settings: Value| {
            let Value::Object(settings) = settings else { unreachable!("a test gives a table") };
            let mut settings = Settings::new(settings);
            settings.take::<Shared>(&["colour"]).map(|shared| (shared.colour, settings.read::<Kind>()))
        };
        let said = |settings| take(settings).unwrap().1.unwrap_err().to_string();

        let (colour, rest) = take(json!({"url": "x", "colour": "red"})).unwrap();
        assert_eq!(colour.as_deref(), Some("red"));
        rest.unwrap();
        assert_eq!(
            take(json!({"colour": 5})).unwrap_err().to_string(),
            "`colour`: must be a string, not this number"
        );
        assert_eq!(said(json!({"url": "x", "color": "red"})), "unknown key `color`; did you mean `colour`?");
        assert_eq!(
            said(json!({"url": "x", "zzz": 1})),
            "unknown key `zzz`; this kind's own keys are `url`, `headers`, `retries`, `proxy` and `colour`"
        );
        assert_eq!(
            said(json!({"url": "x", "proxy": {"color": 1}})),
            "unknown key `proxy.color`; this kind's own keys are `host`"
        );
    }

    #[test]
    fn what_is_wrong_with_settings_is_said_in_a_sentence() {
        for (settings, sentence) in [
            (json!({"urll": "x"}), "unknown key `urll`; did you mean `url`?"),
            (json!({"url": "x", "evnts": []}), "unknown key `evnts`; did you mean `events`?"),
            (
                json!({"url": "x", "zzz": 1}),
                "unknown key `zzz`; this kind's own keys are `url`, `headers`, `retries` and `proxy`",
            ),
            (json!({"url": "x", "proxy": {"hots": "y"}}), "unknown key `proxy.hots`; did you mean `host`?"),
            (json!({}), "the key `url` is missing"),
            (json!({"url": "x", "proxy": {}}), "the key `host` is missing in `proxy`"),
            (json!({"url": 5}), "`url`: must be a string, not this number"),
            (json!({"url": "x", "retries": "hunter2"}), "`retries`: must be u8, not this text"),
            (json!({"url": "x", "retries": 300}), "`retries`: must be u8, not this number"),
            (json!({"url": "x", "headers": {"a": ["hunter2"]}}), "`headers.a`: must be a string, not a list"),
        ] {
            assert_eq!(message::<Kind>(settings.clone()), sentence, "{settings}");
        }
        assert_eq!(
            message::<Nothing>(json!({"colour": 1})),
            "unknown key `colour`; this kind has no keys of its own"
        );
    }
}
