//! An attempt: one try of a delivery, kept as it went.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The first is 1; replays count on.
    pub number: u32,
    /// When the handler was called.
    pub started_at: Timestamp,
    /// How long it took, to the microsecond.
    pub duration: Duration,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status that the handler saw: of the answer for `http`, of the exit for `command`.
    pub status: Option<i32>,
    /// The start of the answer or the end of the output, of which [`Self::KEPT_BYTES`] are kept.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Attempt {
    /// How much of an output or of a reason is kept: enough to see what happened, too little to be a burden.
    pub const KEPT_BYTES: usize = 2048;
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The handler did its duty.
    Done,
    /// The handler said that it could not.
    Failed,
    /// The handler was not done within its time.
    TimedOut,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::TimedOut];

    /// The outcome's name, as the API and both databases spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an outcome of an attempt")]
pub struct UnknownOutcome;

impl FromStr for AttemptOutcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or(UnknownOutcome)
    }
}
