//! How a command ends when it does not succeed.

use std::error::Error;
use std::process::ExitCode;

use super::output;
use crate::telemetry::Chain;

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was called in a way that can't work.
    Usage(String),
    /// It failed.
    Failed(String),
    /// It did what it is for, and what that came to is no success; all has been said.
    Told,
    /// Nobody reads what it prints any more, as with `lectern config show | head`.
    NobodyListens,
}

impl Failure {
    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// Says it, and gives the exit code for it.
    pub(super) fn report(self) -> ExitCode {
        let (sentence, code) = match self {
            Self::Usage(sentence) => (sentence, 2),
            Self::Failed(sentence) => (sentence, 1),
            Self::Told => return ExitCode::from(1),
            Self::NobodyListens => return ExitCode::SUCCESS,
        };
        output::complain(&format!("lectern: {sentence}"));
        ExitCode::from(code)
    }
}

// Not itself an `Error`: that is what lets every error turn into one.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(Chain(&error).to_string())
    }
}
