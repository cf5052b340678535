//! The stream of events: each as it is mirrored, for as long as the caller listens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Extracted;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::State;
use super::events::{self, EventItem};
use super::params::{FromParams, Narrowed, Params};
use super::refusal::Refusal;
use crate::model::{EventFilter, EventRecord};
use crate::telemetry::Chain;

/// How many may listen at once: each asks the store twice a second.
pub(super) const LISTENERS: usize = 64;

/// How often to look for what is new, and how much of it is read at once.
const EVERY: Duration = Duration::from_millis(500);
const PORTION: u32 = 200;

/// How often the caller is told that the connection lives, and how long it waits before it comes again.
const ALIVE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);

/// Which events are streamed, and from where on.
#[derive(Debug)]
pub(super) struct Wanted {
    filter: EventFilter,
    after: Option<u64>,
}

impl FromParams for Wanted {
    fn from_params(params: &mut Params) -> Self {
        let after = params.read("lastEventId", "the id of an event of this stream", position);
        Self { filter: events::filter(params), after }
    }
}

fn position(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// `GET /api/v1/events/stream`
pub(super) async fn open(
    Extracted(state): Extracted<State>,
    headers: HeaderMap,
    Narrowed { filter: wanted, .. }: Narrowed<Wanted>,
) -> Result<Response, Refusal> {
    let place = Arc::clone(&state.listeners).try_acquire_owned().map_err(|_| Refusal::TooManyListeners)?;
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(position);
    let after = match wanted.after.or(header) {
        Some(after) => after,
        None => state.mirror.feed_end().await?,
    };
    let listener =
        Listener { state, filter: wanted.filter, after, read: Vec::new().into_iter(), _place: place };
    let alive = KeepAlive::new().interval(ALIVE).text("alive");
    Ok(Sse::new(listener.stream()).keep_alive(alive).into_response())
}

/// Whoever listens, and how far it has come.
struct Listener {
    state: State,
    filter: EventFilter,
    after: u64,
    read: std::vec::IntoIter<(u64, EventRecord)>,
    /// Its place among those who may listen, until it goes.
    _place: OwnedSemaphorePermit,
}

impl Listener {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        // The head of the answer goes out with the first thing that is said. It has the position: whoever is cut off before the
        // first event goes on from there, and misses none.
        let hello = Event::default().id(self.after.to_string()).retry(RETRY).comment("listening");
        let hello = stream::once(async { Ok(hello) });
        let events = stream::unfold(self, async |mut listener| {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        });
        futures_util::StreamExt::chain(hello, events)
    }

    /// The next event that fits; none when the process stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            for (position, event) in self.read.by_ref() {
                self.after = position;
                if self.filter.fits(&event) {
                    return Some(as_said(position, &event));
                }
            }
            match self.state.mirror.feed(self.after, PORTION).await {
                Ok(read) if !read.is_empty() => self.read = read.into_iter(),
                Ok(_nothing) => self.rest().await?,
                Err(error) => {
                    tracing::debug!(error = %Chain(&error), "a stream of events waits for the store");
                    self.rest().await?;
                }
            }
        }
    }

    async fn rest(&self) -> Option<()> {
        tokio::select! {
            () = sleep(EVERY) => Some(()),
            () = self.state.stop.cancelled() => None,
        }
    }
}

fn as_said(position: u64, event: &EventRecord) -> Event {
    let said = Event::default().id(position.to_string()).event(&event.event_type);
    // Texts and moments can always be written as JSON, which has no line breaks.
    said.json_data(EventItem::from(event)).unwrap_or_default()
}
