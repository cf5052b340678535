//! First stage: the bytes, whole and bounded.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;

use super::rejection::Rejection;
use super::source::Source;
use crate::clock::Clock;
use crate::http::drain;
use crate::model::{Content, Header};

/// A request as it came in: nothing of it is trusted.
pub(super) struct Received {
    pub(super) source: Arc<Source>,
    pub(super) content: Content,
    pub(super) at: Timestamp,
}

/// Reads a request's body, up to `limit` bytes.
pub(super) async fn receive(
    source: Arc<Source>,
    headers: HeaderMap,
    mut body: Body,
    limit: usize,
    clock: &dyn Clock,
) -> Result<Received, Rejection> {
    let too_large = Rejection::BodyTooLarge { limit };
    // A body that says it is too long need not be waited for.
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        drain(body).await;
        return Err(too_large);
    }
    match Limited::new(&mut body, limit).collect().await {
        Ok(whole) => {
            let content = Content { headers: kept(&headers), body: whole.to_bytes() };
            Ok(Received { source, content, at: clock.now() })
        }
        Err(error) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(too_large)
        }
        Err(_) => Err(Rejection::BodyIncomplete),
    }
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
