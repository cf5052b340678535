//! What is wrong with a template or a condition.

use std::borrow::Cow;

use minijinja::{Error, ErrorKind};

/// What is wrong with a template or a condition, in words for the person who wrote it. They name what was written and of
/// what kind a value was, and never hold a value of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mistake(pub(super) String);

impl Mistake {
    /// What the engine has against `source`. The line is told where there are several.
    pub(super) fn of(error: &Error, source: &str) -> Self {
        let what = match error.kind() {
            ErrorKind::OutOfFuel => Cow::Borrowed("it takes too much work or memory"),
            kind => error.detail().map_or_else(|| kind.to_string().into(), Cow::Borrowed),
        };
        Self::at(error.line(), &what, source)
    }

    /// Something about a line of `source`.
    pub(super) fn at(line: Option<usize>, what: &str, source: &str) -> Self {
        match line {
            Some(line) if source.trim_end().contains('\n') => Self(format!("line {line}: {what}")),
            _ => Self(what.to_owned()),
        }
    }
}
