//! A body, byte for byte.

use axum::extract::State as Extracted;
use axum::http::HeaderValue;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::State;
use super::path::{Id, Plain};
use super::refusal::Refusal;
use crate::model::{Content, EventId, Header};

/// `GET /api/v1/events/{id}/body`
pub(super) async fn show(
    Extracted(state): Extracted<State>,
    Id(id): Id<EventId>,
    _: Plain,
) -> Result<Response, Refusal> {
    state.content(id).await?.map(as_a_file).ok_or(Refusal::ResourceNotFound)
}

/// Answers with a body.
///
/// Whoever writes to a customer of Podium decides what is in a body, and whoever is trusted here may open it in a
/// browser. So it is never a page of this host: a browser saves it as a file, believes its type, and runs nothing in it.
pub(super) fn as_a_file(content: Content) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type(&content.headers)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"body\"")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, content.body).into_response()
}

/// The type that the body was sent with, if it was sent with exactly one that is well-formed.
fn content_type(headers: &[Header]) -> HeaderValue {
    let mut given = headers.iter().filter(|header| header.name == "content-type").map(|header| &header.value);
    match (given.next(), given.next()) {
        (Some(value), None) if is_media_type(value) => HeaderValue::from_str(value).ok(),
        _ => None,
    }
    .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Whether the text begins with `type/subtype`, each a token of RFC 9110, and what follows is a parameter.
fn is_media_type(text: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    text.len() <= 255
        && essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered_as(given: &[&str]) -> String {
        let headers: Vec<Header> = given
            .iter()
            .map(|value| Header { name: "content-type".into(), value: (*value).to_owned() })
            .collect();
        content_type(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_well_formed_content_type_is_kept() {
        for given in
            ["application/json", "application/json; charset=utf-8", "application/vnd.a+json", "text/html"]
        {
            assert_eq!(answered_as(&[given]), given);
        }
    }

    #[test]
    fn any_other_content_type_is_not_believed() {
        let long = format!("text/plain; {}", "a".repeat(255));
        for given in [
            "",
            "json",
            "/",
            "a/",
            "/b",
            "a b/c",
            "text/html, text/plain",
            "a/b\r\nx: y",
            "a/b; \0",
            "ä/b",
            &long,
        ] {
            assert_eq!(answered_as(&[given]), "application/octet-stream", "{given:?}");
        }
        assert_eq!(answered_as(&[]), "application/octet-stream");
        assert_eq!(answered_as(&["text/plain", "text/html"]), "application/octet-stream");
    }
}
