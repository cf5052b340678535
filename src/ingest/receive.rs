//! First stage: the bytes, whole and bounded.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
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

/// Headers that carry credentials of somebody between Podium and us, such as a proxy that lets in who has signed in: they are not
/// kept.
const CREDENTIALS: [&str; 24] = [
    "api-key",
    "apikey",
    "authorization",
    "cf-access-client-secret",
    "cf-access-jwt-assertion",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "x-access-token",
    "x-amz-security-token",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-api-key",
    "x-auth-request-access-token",
    "x-auth-token",
    "x-forwarded-access-token",
    "x-forwarded-authorization",
    "x-functions-key",
    "x-goog-iap-jwt-assertion",
    "x-id-token",
    "x-ms-client-principal",
    "x-ms-token-aad-access-token",
    "x-ms-token-aad-id-token",
    "x-ms-token-aad-refresh-token",
];

/// The headers that are kept of a request.
fn kept(headers: &HeaderMap) -> Vec<Header> {
    let kept = headers.iter().filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
    kept.map(|(name, value)| Header {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn credentials_are_not_kept_and_the_documentation_names_them() {
        let mut headers = HeaderMap::new();
        for name in CREDENTIALS.into_iter().chain(["podium-signature", "x-request-id"]) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("hunter2"));
        }
        let mut kept: Vec<String> = kept(&headers).into_iter().map(|header| header.name).collect();
        kept.sort();
        assert_eq!(kept, ["podium-signature", "x-request-id"]);
        let page = include_str!("../../docs/webhooks.md");
        for name in CREDENTIALS {
            assert!(page.contains(&format!("`{name}`")), "docs/webhooks.md does not name {name}");
        }
    }
}
