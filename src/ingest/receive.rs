//! First stage: the bytes, whole and bounded.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;

use super::rejection::Rejection;
use super::source::Source;
use crate::clock::Clock;
use crate::http::{Bodies, Unread};
use crate::model::{Content, Header};

/// A request as it came in: nothing of it is trusted.
pub(super) struct Received {
    pub(super) source: Arc<Source>,
    pub(super) content: Content,
    pub(super) at: Timestamp,
}

/// Reads a request's body.
pub(super) async fn receive(
    source: Arc<Source>,
    headers: HeaderMap,
    body: Body,
    bodies: &Bodies,
    clock: &dyn Clock,
) -> Result<Received, Rejection> {
    let body = bodies.read(body).await.map_err(|unread| match unread {
        Unread::TooLarge => Rejection::BodyTooLarge { limit: bodies.limit() },
        Unread::TooSlow => Rejection::BodyTooSlow,
        Unread::Incomplete => Rejection::BodyIncomplete,
        Unread::Busy => Rejection::Busy,
    })?;
    Ok(Received { source, content: Content { headers: kept(&headers), body }, at: clock.now() })
}

/// Headers that carry credentials of somebody between Podium and us: they are not kept.
const CREDENTIALS: [header::HeaderName; 3] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

/// The headers that are kept of a request.
fn kept(headers: &HeaderMap) -> Vec<Header> {
    let kept = headers.iter().filter(|(name, _)| !CREDENTIALS.contains(name));
    kept.map(|(name, value)| Header {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    })
    .collect()
}
