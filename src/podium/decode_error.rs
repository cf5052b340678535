//! Why the payload of an event could not be read.

use std::fmt::Write;

use serde_json::{Value, error::Category};
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

use super::{time, unpopulated};

/// Why an event's body or its `data` could not be read.
///
/// It is stored and shown beside the event, so it is short and says nothing that somebody wrote to somebody:
/// it names the place and the kind of value there, never the value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes are no text.
    #[error("the body is not UTF-8: byte {place} is not part of a character")]
    NotUtf8 {
        /// The place of the first such byte, counted from 1.
        place: usize,
    },
    /// The text is not JSON.
    #[error("the body is not JSON: {problem}")]
    NotJson {
        /// What is wrong, with line and column.
        problem: String,
    },
    /// It is JSON, but not an object.
    #[error("the body is JSON but not an object")]
    NotAnObject,
    /// The object has no `data`.
    #[error("data is missing")]
    DataMissing,
    /// `data` has arrays or objects in each other to a depth that no real event has.
    #[error("data is nested more than 127 levels deep")]
    TooDeep,
    /// `data` has something that the grammar of JSON allows and nobody can read, such as half a character
    /// (`"\ud800"`) or a number beyond all bounds.
    #[error("data can't be read: {problem}, counted from where data begins")]
    Unreadable {
        /// What is wrong, with line and column.
        problem: String,
    },
    /// A value is not of the type that Podium documents.
    #[error("{path}: {found} where {expected} was expected")]
    Mismatch {
        /// Where in the body, e.g. `data.items[0].uid`.
        path: String,
        /// The kind of value found there.
        found: &'static str,
        /// The kind of value that belongs there.
        expected: &'static str,
    },
}

impl DecodeError {
    /// The error of a body whose envelope could not be read.
    pub(super) fn of_body(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::NotAnObject,
            Category::Syntax | Category::Eof | Category::Io => Self::NotJson { problem: error.to_string() },
        }
    }

    /// The error of a `data` that passed as JSON and can't be made a [`Value`].
    pub(super) fn of_data(error: &serde_json::Error) -> Self {
        // Of a syntax error serde_json says what it is and where, never what it read. Its kind is told by
        // its text alone.
        let problem = error.to_string();
        if problem.starts_with("recursion limit exceeded") {
            Self::TooDeep
        } else {
            Self::Unreadable { problem }
        }
    }

    /// The error of a `data` that doesn't fit its type.
    pub(super) fn of_payload(data: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let found = value_at(data, error.path()).map_or("something else", kind);
        Self::Mismatch { path: path_in_body(error.path()), found, expected: expected(error.inner()) }
    }
}

/// What serde expected, in words. Its message repeats the value that it found ("invalid type: string
/// \"…\", expected a boolean"), so only the end is looked at, and only to choose from the words below.
fn expected(error: &serde_json::Error) -> &'static str {
    let message = error.to_string();
    match message.rsplit_once(", expected ").map_or("", |(_, expected)| expected) {
        "a string" | "a borrowed string" => "a string",
        "a boolean" => "a boolean",
        "i64" => "a whole number",
        "f64" => "a number",
        "a sequence" => "an array",
        time::EXPECTED => time::EXPECTED,
        unpopulated::EXPECTED_OBJECT => unpopulated::EXPECTED_OBJECT,
        _ => "something else",
    }
}

fn value_at<'v>(data: &'v Value, path: &Path) -> Option<&'v Value> {
    path.iter().try_fold(data, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

/// The kind of a JSON value, with its article.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn path_in_body(path: &Path) -> String {
    path.iter().fold("data".to_owned(), |mut text, segment| {
        // Writing to a String can't fail.
        let _ = match segment {
            Segment::Seq { index } => write!(text, "[{index}]"),
            other => write!(text, ".{other}"),
        };
        text
    })
}
