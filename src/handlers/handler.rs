//! The trait that every kind of handler implements, and its words.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{Content, Delivery, EventRecord, TraceContext};
use crate::podium::{self, Decoded};
use crate::telemetry::Chain;

/// Does something with events.
///
/// It is called at least once for each event that it wants. Calls with one ordering key come one after another as long
/// as the process holds its lease on them; others run side by side. A process that stalls for longer than a lease loses
/// it, and may still be within a call when another process makes that call anew.
///
/// A handler keeps to [`Work::timeout`] itself where it has something to say when that is over, and returns
/// [`Failure::timed_out`] then. A call that has not ended a second later is dropped where it stands, and counts as timed
/// out too; so anything that must not be cut off in the middle belongs in a task of its own.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Handles one event. An error is tried again by the handler's retry schedule, unless it is
    /// [permanent](Failure::permanent).
    async fn handle(&self, work: &Work) -> Result<Success, Failure>;
}

/// What a handler is given: the event, and which delivery of it this is.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the ledger knows of the event.
    pub event: EventRecord,
    /// The request's headers and body, byte for byte.
    pub content: Content,
    /// This delivery; its `attempts` counts those before this one.
    pub delivery: Delivery,
    /// When this attempt began.
    pub started_at: Timestamp,
    /// How long the handler may take, as configured. A second later the call is dropped.
    pub timeout: Duration,
}

impl Work {
    /// The number of this attempt; the first is 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.delivery.attempts.saturating_add(1)
    }

    /// This attempt as a step of the event's trace.
    #[must_use]
    pub fn trace(&self) -> TraceContext {
        TraceContext::of_attempt(self.event.id, self.delivery.id, self.started_at)
    }

    /// The body, decoded.
    #[must_use]
    pub fn decode(&self) -> Decoded {
        podium::decode(&self.content.body)
    }
}

/// The duty is done. `status` and `output` are kept with the attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Success {
    /// The status of an answer or of an exit.
    pub status: Option<i32>,
    /// A piece of the answer or of the output, at most 2 KiB of it are kept.
    pub output: Option<String>,
}

impl Success {
    /// Done, and nothing to add.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }
}

/// The duty is not done. Any error turns into one, so that `?` works in a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, in words for the person who reads the attempt. It must hold no secret.
    pub reason: String,
    /// Whether a further try is pointless.
    pub permanent: bool,
    /// Whether it was not done in time. It is tried again like any other failure.
    pub timed_out: bool,
    /// How long the other side asks to wait before the next try.
    pub retry_after: Option<Duration>,
    /// The status of an answer or of an exit.
    pub status: Option<i32>,
    /// A piece of the answer or of the output, at most 2 KiB of it are kept.
    pub output: Option<String>,
}

impl Failure {
    /// It may succeed later.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self {
            reason: reason.to_string(),
            permanent: false,
            timed_out: false,
            retry_after: None,
            status: None,
            output: None,
        }
    }

    /// It did not end within [`Work::timeout`], and may succeed later.
    pub fn timed_out(reason: impl fmt::Display) -> Self {
        Self { timed_out: true, ..Self::retry(reason) }
    }

    /// It will never succeed: the delivery is given up without a further try.
    pub fn permanent(reason: impl fmt::Display) -> Self {
        Self { permanent: true, ..Self::retry(reason) }
    }
}

// Not itself an `Error`: that is what lets every error turn into a failure.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::retry(Chain(&error))
    }
}
