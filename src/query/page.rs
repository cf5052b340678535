//! The one way in which every list is paged.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::answer;
use super::cursor::Cursor;
use super::params::{FromParams, Learnt, Pairs, Params, learn};
use super::refusal::Refusal;
use crate::model::{Limit, PageRequest};

/// Where the page before ended.
const CURSOR: &str = "cursor";

/// A page that is asked for, of a list that is narrowed by `F` and whose items have their places by `B`.
#[derive(Debug)]
pub(super) struct Page<F, B = Uuid> {
    /// What narrows the list.
    pub(super) filter: F,
    limit: Limit,
    below: Option<B>,
    asked: Pairs,
    uri: Uri,
}

impl<S: Sync, F: FromParams, B: Serialize + DeserializeOwned> FromRequestParts<S> for Page<F, B> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let mut params = Params::of(&parts.uri);
        match params.take(CURSOR) {
            None => Self::read(params, None, &parts.uri),
            Some(text) => {
                let cursor = Cursor::decode(&text, parts.uri.path()).ok_or(Refusal::InvalidCursor)?;
                Self::read(Params::from(cursor.asked), Some(cursor.below), &parts.uri)
                    .map_err(|_| Refusal::InvalidCursor)
            }
        }
    }
}

impl<F: FromParams, B> Page<F, B> {
    fn read(mut params: Params, below: Option<B>, uri: &Uri) -> Result<Self, Refusal> {
        let asked = params.unread().clone();
        let (filter, limit) = Self::ask(&mut params);
        params.finish()?;
        Ok(Self { filter, limit: limit.unwrap_or_default(), below, asked, uri: uri.clone() })
    }

    /// Reads all parameters that stand beside a cursor.
    fn ask(params: &mut Params) -> (F, Option<Limit>) {
        let filter = F::from_params(params);
        let limit = params.number("limit", 1..=Limit::MAX);
        (filter, limit.and_then(|number| Limit::try_from(number).ok()))
    }

    /// The parameters of such a page, and how a mistake in them is told.
    pub(super) fn learn() -> Learnt {
        learn(|params| {
            params.take(CURSOR);
            Self::ask(params);
        })
    }
}

impl<F, B: Clone + Serialize + DeserializeOwned> Page<F, B> {
    /// What to read from the store: one item more than the page holds, because that tells whether another page follows.
    pub(super) fn request<K: From<B>>(&self) -> PageRequest<K> {
        PageRequest { limit: self.limit.get() + 1, below: self.below.clone().map(K::from) }
    }

    /// Takes the item too many from what was read, and returns where the next page begins, if there is one.
    pub(super) fn cut<T>(&self, found: &mut Vec<T>, place: impl Fn(&T) -> B) -> Option<Next> {
        let size = usize::try_from(self.limit.get()).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more)?;
        let cursor =
            Cursor { list: self.uri.path().to_owned(), below: place(last), asked: self.asked.clone() };
        Some(Next(cursor.encode()))
    }

    /// Answers with the items of the page.
    pub(super) fn answer(&self, items: &[impl Serialize], next: Option<Next>) -> Response {
        answer::page(&self.uri, items, next.map(|Next(cursor)| cursor).as_deref())
    }
}

/// The cursor of the next page.
#[derive(Debug)]
pub(super) struct Next(String);
