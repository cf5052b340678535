//! Last stage: durable, then acknowledged.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use backon::{ExponentialBuilder, Retryable};
use serde::Serialize;
use tokio::time::timeout;

use super::decode::Event;
use super::rejection::Rejection;
use crate::model::EventId;
use crate::store::{Acceptance, Store, StoreError};
use crate::telemetry::Chain;

/// Proof that an event is durable: only with one is a request answered 200.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt(Acceptance);

impl Receipt {
    /// Whether the event was not there before.
    pub(super) const fn is_new(self) -> bool {
        matches!(self.0, Acceptance::Accepted(_))
    }
}

/// The first wait before a store that is unavailable is asked again, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// Makes an event durable, or gives up after `deadline`: Podium hangs up after 5 seconds, and would then call a slow
/// success a failure.
///
/// Until then a store that is unavailable is asked again: a connection that broke is no reason to have Podium hold back its
/// whole stream. An event that is given up may have become durable all the same; its next try is then a duplicate.
pub(super) async fn accept(
    event: Event,
    store: &dyn Store,
    deadline: Duration,
) -> Result<Receipt, Rejection> {
    let batch = [event.into_new()];
    let waits = ExponentialBuilder::new().with_min_delay(WAITS.0).with_max_delay(WAITS.1).without_max_times();
    let mut reason = "the store did not answer in time".to_owned();
    let accepting = (|| store.accept(&batch))
        .retry(waits)
        .when(|error| matches!(error, StoreError::Unavailable(_)))
        .notify(|error, _| reason = Chain(error).to_string());
    match timeout(deadline, accepting).await {
        Ok(Ok(answers)) => answers.first().copied().map(Receipt).ok_or(Rejection::StoreUnavailable),
        Ok(Err(error)) => {
            tracing::error!(error = %Chain(&error), "an event could not be stored");
            Err(Rejection::StoreUnavailable)
        }
        Err(_elapsed) => {
            tracing::error!(reason, ?deadline, "an event could not be stored in time");
            Err(Rejection::StoreUnavailable)
        }
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
            status: &'static str,
        }
        let data = match self.0 {
            Acceptance::Accepted(id) => Data { id, status: "accepted" },
            Acceptance::Duplicate(id) => Data { id, status: "duplicate" },
        };
        Json(Body { data }).into_response()
    }
}
