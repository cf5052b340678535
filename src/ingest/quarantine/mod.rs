//! What becomes of a request that fails verification: it is kept beside the way of the genuine ones, or held.
//!
//! Everything that is kept goes through one queue to one writer, so that a flood of forged requests costs the store one
//! statement at a time, and memory what the queue may hold. A request that is merely rejected never waits: its answer is
//! known. One that is to be held waits for the writer, as an event waits for its commit.

mod rate;
mod release;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::rejection::Rejection;
use super::source::Sources;
use super::verify::Unverified;
use crate::clock::Clock;
use crate::config;
use crate::config::OnUnverified;
use crate::model::{QuarantineBounds, QuarantineId, Quarantined, QuarantinedRequest};
use crate::store::Store;
use rate::Rate;
pub use writer::QuarantineWriter;

/// How many requests may wait for the writer, and how many bytes of them, those included that are being written. A
/// request that is larger by itself waits until it is alone.
const QUEUE: (usize, u32) = (256, 4 * 1024 * 1024);

/// How long a quarantine that had no room for a request of a source is not asked again for that source: whoever fills it
/// is not to keep the store busy with being refused.
const FULL_FOR: Duration = Duration::from_secs(1);

/// Proof that a request which failed verification is durable: with one it is answered 200.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held(QuarantineId);

/// Where requests go that failed verification.
pub struct Quarantine {
    bounds: QuarantineBounds,
    rate: Rate,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    /// Until when it counts as full, by source. There are only as many as are configured.
    full_until: Mutex<HashMap<String, Instant>>,
    deadline: Duration,
    clock: Arc<dyn Clock>,
}

/// A request on its way to the writer.
struct Waiting {
    request: QuarantinedRequest,
    /// Who waits for its fate; nobody for one that is rejected anyway.
    answer: Option<oneshot::Sender<Fate>>,
    /// Its share of the memory, given back when it is written.
    _room: OwnedSemaphorePermit,
}

/// What became of a request that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    NoRoom,
    StoreUnavailable,
}

impl Quarantine {
    /// A quarantine, and what writes to `store` for it. A request to be held waits `deadline` at the most.
    #[must_use]
    pub fn new(
        config: config::Quarantine,
        deadline: Duration,
        sources: &Sources,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> (Self, QuarantineWriter) {
        let bounds = QuarantineBounds::new(config.max_requests, config.max_bytes as u64);
        let (queue, waiting) = mpsc::channel(QUEUE.0);
        let writer = QuarantineWriter::new(waiting, bounds, sources.listed(), deadline, store);
        let quarantine = Self {
            bounds,
            rate: Rate::per_minute(config.max_per_minute),
            queue,
            room: Arc::new(Semaphore::new(QUEUE.1 as usize)),
            full_until: Mutex::default(),
            deadline,
            clock,
        };
        (quarantine, writer)
    }

    /// Keeps a request that failed verification as its source wants it: holds it, or rejects it for the reason that it
    /// failed for. Where it can't be held it is rejected, so that Podium keeps it.
    pub(super) async fn take_in(&self, unverified: Unverified) -> Result<Held, Rejection> {
        let Unverified { received, rejection } = unverified;
        let held = received.source.on_unverified == OnUnverified::Hold && rejection.may_be_ours();
        let id = QuarantineId::at(received.at);
        let request = Quarantined {
            id,
            source: received.source.name.clone(),
            received_at: received.at,
            reason: rejection.code().to_owned(),
            held,
            size: received.content.body.len() as u64,
        };
        let request = QuarantinedRequest { request, content: received.content };
        if self.bounds.requests == 0 || request.weight() > self.bounds.bytes {
            return Err(rejection);
        }
        if !held {
            self.keep(request);
            return Err(rejection);
        }
        match self.hold(request).await {
            Fate::Kept => Ok(Held(id)),
            Fate::NoRoom => Err(rejection),
            Fate::StoreUnavailable => Err(Rejection::StoreUnavailable),
        }
    }

    /// Hands a rejected request over if there is room for it at this moment; nobody waits for it.
    fn keep(&self, request: QuarantinedRequest) {
        if !self.rate.admits(&request.request.source, self.clock.now()) {
            return;
        }
        if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(share(&request)) {
            // A full queue is a flood: what it holds already tells enough of it.
            let _ = self.queue.try_send(Waiting { request, answer: None, _room: room });
        }
    }

    /// The rate is not asked: a busy stream with a wrong secret is what holding is for. What bounds it is the room.
    async fn hold(&self, request: QuarantinedRequest) -> Fate {
        let source = request.request.source.clone();
        if self.full_until().get(&source).is_some_and(|until| Instant::now() < *until) {
            return Fate::NoRoom;
        }
        let holding = async {
            let room = Arc::clone(&self.room).acquire_many_owned(share(&request)).await.ok()?;
            let (answer, fate) = oneshot::channel();
            self.queue.send(Waiting { request, answer: Some(answer), _room: room }).await.ok()?;
            fate.await.ok()
        };
        // Late, or the writer has ended.
        let fate = timeout(self.deadline, holding).await.ok().flatten().unwrap_or(Fate::StoreUnavailable);
        if fate == Fate::NoRoom {
            self.full_until().insert(source, Instant::now() + FULL_FOR);
        }
        fate
    }

    fn full_until(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        // What a panic could leave behind is a moment like any other.
        self.full_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request takes of the memory for those that wait.
fn share(request: &QuarantinedRequest) -> u32 {
    u32::try_from(request.weight()).unwrap_or(u32::MAX).min(QUEUE.1)
}

impl IntoResponse for Held {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            data: Data,
        }
        #[derive(Serialize)]
        struct Data {
            id: QuarantineId,
            status: &'static str,
        }
        Json(Body { data: Data { id: self.0, status: "held" } }).into_response()
    }
}
