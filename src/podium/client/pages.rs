//! Lists, a page after another.

use std::collections::{HashSet, VecDeque};

use futures_util::stream::{self, Stream};
use reqwest::Url;

use super::error::ClientError;
use super::item::Item;
use super::operations::Client;

/// How often a list is begun anew because Podium has forgotten the place in it.
const BEGINNINGS: u32 = 3;

/// A list of Podium's, read a page at a time. Where Podium has forgotten the place, as it does after a while, the list begins
/// anew: whoever reads it meets some items twice.
pub struct Pages<'c, T> {
    client: &'c Client,
    scope: &'static str,
    first: Url,
    next: Option<Url>,
    cursor: Option<String>,
    /// The places that were met, to tell a circle.
    met: HashSet<String>,
    beginnings: u32,
    means: std::marker::PhantomData<fn() -> T>,
}

impl<'c, T> Pages<'c, T> {
    pub(super) fn new(client: &'c Client, first: Url, scope: &'static str) -> Self {
        let next = Some(first.clone());
        let met = HashSet::new();
        Self { client, scope, first, next, cursor: None, met, beginnings: 1, means: std::marker::PhantomData }
    }

    /// Goes on at this place, which [`cursor`](Self::cursor) was.
    #[must_use]
    pub fn from_cursor(mut self, cursor: Option<String>) -> Self {
        if let Some(cursor) = cursor {
            self.next = Some(self.at(&cursor));
            self.cursor = Some(cursor);
        }
        self
    }

    /// The same list, of whose items nothing is taken to be known.
    #[must_use]
    pub fn of_anything(self) -> Pages<'c, ()> {
        let Self { client, scope, first, next, cursor, met, beginnings, .. } = self;
        Pages { client, scope, first, next, cursor, met, beginnings, means: std::marker::PhantomData }
    }

    /// The place of the page that comes next; none at the beginning.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next page; `None` when there is none.
    ///
    /// # Errors
    /// When Podium does not give it.
    pub async fn next(&mut self) -> Result<Option<Vec<Item<T>>>, ClientError> {
        loop {
            let Some(url) = &self.next else { return Ok(None) };
            match self.client.get(url.clone(), Some(self.scope)).await {
                Ok(answer) => {
                    let cursor = answer.metadata.next_cursor.clone().filter(|cursor| !cursor.is_empty());
                    if cursor.as_ref().is_some_and(|cursor| !self.met.insert(cursor.clone())) {
                        return Err(ClientError::Unreadable("its pages go round in a circle".to_owned()));
                    }
                    self.next = cursor.as_deref().map(|cursor| self.at(cursor));
                    self.cursor = cursor;
                    let items = answer
                        .items()
                        .map_err(|_| ClientError::Unreadable("its `data` is no list".to_owned()))?;
                    return Ok(Some(items.into_iter().map(Item::new).collect()));
                }
                Err(ClientError::InvalidCursor) if self.cursor.is_some() && self.beginnings < BEGINNINGS => {
                    self.beginnings += 1;
                    self.cursor = None;
                    self.met.clear();
                    self.next = Some(self.first.clone());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// All items, one after another, with a page read whenever one is needed. It ends at the first error.
    pub fn items(self) -> impl Stream<Item = Result<Item<T>, ClientError>> {
        stream::try_unfold((self, VecDeque::new()), async |(mut pages, mut ready)| {
            loop {
                if let Some(item) = ready.pop_front() {
                    return Ok(Some((item, (pages, ready))));
                }
                match pages.next().await? {
                    Some(page) => ready.extend(page),
                    None => return Ok(None),
                }
            }
        })
    }

    /// With a cursor every other parameter is ignored, so none is sent.
    fn at(&self, cursor: &str) -> Url {
        let mut url = self.first.clone();
        let limit = url.query_pairs().find(|(name, _)| name == "limit").map(|(_, limit)| limit.into_owned());
        url.set_query(None);
        url.query_pairs_mut().append_pair("cursor", cursor).extend_pairs(limit.map(|limit| ("limit", limit)));
        url
    }
}
