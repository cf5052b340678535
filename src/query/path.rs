//! Requests for one thing, named in the path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::Uri;
use axum::http::request::Parts;

use super::params::Params;
use super::refusal::Refusal;

/// The identifier in the path. To callers ids are opaque: one that can't be is one of nothing, 404, and not an error of
/// form.
#[derive(Debug)]
pub(super) struct Id<K>(pub(super) K);

impl<S: Send + Sync, K: FromStr> FromRequestParts<S> for Id<K> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Refusal::ResourceNotFound)?;
        text.parse().map(Self).map_err(|_| Refusal::ResourceNotFound)
    }
}

/// What was asked for, of an operation without parameters.
#[derive(Debug)]
pub(super) struct Plain(pub(super) Uri);

impl<S: Sync> FromRequestParts<S> for Plain {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Params::of(&parts.uri).finish()?;
        Ok(Self(parts.uri.clone()))
    }
}
