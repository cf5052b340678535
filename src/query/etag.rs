//! Answers that did not change are not sent again: each has an `ETag`, and whoever has it already is told so.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Adds an `ETag` to answers in JSON, and answers 304 to whoever names it. It is a weak one: the same answer may be sent
/// compressed or not.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    // The answer to HEAD has no body left that a tag could be made of.
    let is_reading = *request.method() == Method::GET;
    let asked = request.headers().get_all(IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    if !is_reading || response.status() != StatusCode::OK || !is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It was made in memory: nothing is waited for.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag_of(&body);
    parts.headers.insert(ETAG, tag.clone());
    if asked.iter().any(|asked| names(asked, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

fn tag_of(body: &Bytes) -> HeaderValue {
    let digest = hex::encode(&Sha256::digest(body)[..16]);
    HeaderValue::from_str(&format!("W/\"{digest}\"")).expect("hexadecimal digits can stand in a header")
}

/// Whether `If-None-Match` names the tag. It compares weakly, as RFC 9110 has it for this header.
fn names(asked: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let (Ok(asked), Ok(tag)) = (asked.to_str(), tag.to_str()) else { return false };
    asked.split(',').any(|one| one.trim() == "*" || opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_a_list_weak_or_strong_or_by_the_star() {
        let tag = tag_of(&Bytes::from_static(b"{}"));
        let text = tag.to_str().unwrap();
        let strong = text.trim_start_matches("W/");
        for asked in [text, strong, "*", &format!("\"other\", {text}"), &format!("W/\"x\" ,{strong}")] {
            assert!(names(&HeaderValue::from_str(asked).unwrap(), &tag), "{asked}");
        }
        for asked in ["", "\"other\"", "W/", "\"\""] {
            assert!(!names(&HeaderValue::from_str(asked).unwrap(), &tag), "{asked}");
        }
        assert_ne!(tag, tag_of(&Bytes::from_static(b"[]")));
    }
}
