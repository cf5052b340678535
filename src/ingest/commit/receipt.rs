//! What the last stage comes to: durable, and so to be acknowledged.

use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use crate::http::About;
use crate::model::EventId;
use crate::store::Acceptance;

/// Proof that an event is durable: only with one is a request answered 200. Only a commit makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Receipt {
    id: EventId,
    status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It is in the store.
    Accepted,
    /// It was in the store already.
    Duplicate,
    /// It is on this machine's disk, and on its way to the store.
    Spooled,
}

impl Receipt {
    /// The store has it.
    pub(super) const fn stored(acceptance: Acceptance) -> Self {
        match acceptance {
            Acceptance::Accepted(id) => Self { id, status: Status::Accepted },
            Acceptance::Duplicate(id) => Self { id, status: Status::Duplicate },
        }
    }

    /// The event's name.
    pub(in crate::ingest) const fn id(self) -> EventId {
        self.id
    }

    /// Whether the event is not known to have been there before.
    pub(in crate::ingest) const fn is_new(self) -> bool {
        !matches!(self.status, Status::Duplicate)
    }

    /// What became of the event, in a word.
    pub(in crate::ingest) const fn outcome(self) -> &'static str {
        match self.status {
            Status::Accepted => "accepted",
            Status::Duplicate => "duplicate",
            Status::Spooled => "spooled",
        }
    }

    /// The spool has it.
    pub(super) const fn spooled(id: EventId) -> Self {
        Self { id, status: Status::Spooled }
    }
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            data: Data,
        }
        #[derive(Serialize)]
        struct Data {
            id: EventId,
            status: Status,
        }
        (Extension(About(self.id)), Json(Body { data: Data { id: self.id, status: self.status } }))
            .into_response()
    }
}
