//! How a value is written into what a template makes.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, escape_formatter};

/// How what is inserted is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As a part of a text between quotation marks, so that whatever a customer writes can't end it. A whole value is
    /// written with `| tojson`.
    Json,
    /// As text between or within tags.
    Markup,
    /// Not at all.
    Nothing,
}

/// What the engine calls our own way of escaping.
const JSON_TEXT: &str = "a text in JSON";

impl Escape {
    /// What a content type asks for.
    pub(super) fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is =
            |name: &str| essence.ends_with(&format!("/{name}")) || essence.ends_with(&format!("+{name}"));
        match () {
            () if is("json") => Self::Json,
            () if is("html") || is("xml") => Self::Markup,
            () => Self::Nothing,
        }
    }
}

impl From<Escape> for AutoEscape {
    fn from(escape: Escape) -> Self {
        match escape {
            Escape::Json => Self::Custom(JSON_TEXT.into()),
            Escape::Markup => Self::Html,
            Escape::Nothing => Self::None,
        }
    }
}

/// Writes a value: nothing where there is none, and else as it is escaped here.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match state.auto_escape() {
        _ if value.is_none() || value.is_undefined() => Ok(()),
        AutoEscape::Custom(name) if name == JSON_TEXT => {
            match value.as_str() {
                Some(text) if value.is_safe() => out.write_str(text)?,
                Some(text) => out.write_str(&between_quotes(text)?)?,
                None => {
                    let text = json(value)?;
                    // Walking through a value is more work than copying it: as with `tojson`.
                    state.consume_fuel(text.len() as u64 / 4)?;
                    match value.kind() {
                        ValueKind::Bool | ValueKind::Number => out.write_str(&text)?,
                        _ => out.write_str(&between_quotes(&text)?)?,
                    }
                }
            }
            Ok(())
        }
        _ => escape_formatter(out, state, value),
    }
}

fn between_quotes(text: &str) -> Result<String, Error> {
    let mut quoted = json(text)?;
    quoted.pop();
    Ok(quoted.split_off(1))
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::BadSerialization, "this can't be written as JSON").with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_decides_how_values_are_escaped() {
        for (content_type, escape) in [
            ("application/json", Escape::Json),
            ("Application/JSON; charset=utf-8", Escape::Json),
            ("application/cloudevents+json", Escape::Json),
            ("text/html", Escape::Markup),
            ("application/atom+xml", Escape::Markup),
            ("text/plain", Escape::Nothing),
            ("application/x-ndjson", Escape::Nothing),
            ("json", Escape::Nothing),
        ] {
            assert_eq!(Escape::of(content_type), escape, "{content_type}");
        }
    }
}
