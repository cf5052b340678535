//! A line in the log for each request, and the name by which it is found there.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use crate::model::EventId;

/// What names a request: from a proxy in front, or made here. The answer repeats it.
const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Said by an answer: the event that the request is about, for the log.
#[derive(Clone, Copy, Debug)]
pub struct About(pub EventId);

/// The longest name of somebody else's that is taken.
const LONGEST: usize = 128;

/// How much of a path is logged.
const SHOWN: usize = 200;

/// What monitors ask for all the time.
const ROUTINE: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// At the public listener, what is refused is logged at `debug` only: anybody can send anything, and the log must not be theirs
/// to fill. It is counted, and summed up in the log where it is refused.
pub(super) async fn public(request: Request, next: Next) -> Response {
    log(request, next, true).await
}

/// At the internal listener.
pub(super) async fn internal(request: Request, next: Next) -> Response {
    log(request, next, false).await
}

async fn log(request: Request, next: Next, is_public: bool) -> Response {
    let begun = Instant::now();
    let name = request.headers().get(&NAME).filter(|name| is_fit(name)).cloned().unwrap_or_else(new_name);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let status = response.status();
    let request_id = name.to_str().unwrap_or_default();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    // The query is left out: it may hold what people search for.
    // Worked out where there is a line: on the way to the answer nothing is made that nobody reads.
    let event_id = || response.extensions().get().map(|About(event)| event.to_string());
    let path = || uri.path().chars().take(SHOWN).collect::<String>();
    let status = status.as_u16();
    if is_public && (400..500).contains(&status) || status == 200 && ROUTINE.contains(&uri.path()) {
        tracing::debug!(request_id, %method, path = path(), status, took_ms, event_id = event_id(), "request");
    } else {
        tracing::info!(request_id, %method, path = path(), status, took_ms, event_id = event_id(), "request");
    }
    response.headers_mut().insert(NAME, name);
    response
}

fn is_fit(name: &HeaderValue) -> bool {
    let bytes = name.as_bytes();
    (1..=LONGEST).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/=+".contains(byte))
}

fn new_name() -> HeaderValue {
    // Without randomness there is no name, and that is all.
    let chance = getrandom::u64().unwrap_or_default();
    HeaderValue::from_str(&format!("{chance:016x}")).unwrap_or(HeaderValue::from_static("-"))
}
