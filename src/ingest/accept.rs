//! Last stage: durable, then acknowledged.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::timeout;

use super::decode::Event;
use super::rejection::Rejection;
use crate::model::EventId;
use crate::store::{Acceptance, Store};
use crate::telemetry::Chain;

/// Proof that an event is durable: only with one is a request answered 200.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt(Acceptance);

/// Makes an event durable, or gives up after `deadline`: Podium hangs up after 5 seconds, and would then call a slow
/// success a failure.
///
/// An event that is given up may have become durable all the same; its next try is then a duplicate.
pub(super) async fn accept(
    event: Event,
    store: &dyn Store,
    deadline: Duration,
) -> Result<Receipt, Rejection> {
    let batch = [event.into_new()];
    let acceptance = match timeout(deadline, store.accept(&batch)).await {
        Ok(Ok(answers)) => answers.first().copied(),
        Ok(Err(error)) => {
            tracing::error!(error = %Chain(&error), "an event could not be stored");
            None
        }
        Err(_elapsed) => {
            tracing::error!(?deadline, "the store did not answer in time");
            None
        }
    };
    acceptance.map(Receipt).ok_or(Rejection::StoreUnavailable)
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
            status: &'static str,
        }
        let data = match self.0 {
            Acceptance::Accepted(id) => Data { id, status: "accepted" },
            Acceptance::Duplicate(id) => Data { id, status: "duplicate" },
        };
        Json(Body { data }).into_response()
    }
}
