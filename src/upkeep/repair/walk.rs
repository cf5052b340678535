//! The walk through one of Podium's lists.

use jiff::Timestamp;

use super::candidate::Candidate;
use super::{Progress, Repair};
use crate::model::ResourceKind;
use crate::podium::client::{Client, ClientError, InvoiceDate, Item, Pages, Thread};

/// A list, a page at a time.
pub(super) struct Walk<'c> {
    client: &'c Client,
    since: Timestamp,
    list: List<'c>,
}

enum List<'c> {
    Conversations(Pages<'c, Thread>),
    /// Anything that is an event's object itself.
    Things(ResourceKind, Pages<'c, ()>),
}

/// What one page has.
pub(super) struct Page {
    pub(super) examined: u64,
    pub(super) candidates: Vec<Candidate>,
}

/// Whether the list is one that this account may not read, or that Podium does not have.
pub(super) const fn is_closed(error: &ClientError) -> bool {
    matches!(error, ClientError::Forbidden { .. } | ClientError::NotFound { .. })
}

impl<'c> Walk<'c> {
    /// The list of this name, from where an earlier walk was.
    pub(super) fn of(list: &str, repair: &'c Repair, progress: &Progress) -> Self {
        let (client, since, cursor) = (&*repair.client, progress.since, progress.cursor.clone());
        let invoices = |date| client.invoices(Some((date, since))).of_anything();
        let list = match list {
            "conversations" => List::Conversations(client.conversations(None).from_cursor(cursor)),
            other => {
                let (kind, pages) = match other {
                    "contacts" => (ResourceKind::Contact, client.contacts(Some(since)).of_anything()),
                    "invoices" => (ResourceKind::Invoice, invoices(InvoiceDate::Created)),
                    "paid invoices" => (ResourceKind::Invoice, invoices(InvoiceDate::Paid)),
                    "refunded invoices" => (ResourceKind::Invoice, invoices(InvoiceDate::Refunded)),
                    "reviews" => (ResourceKind::Review, client.reviews(Some(since)).of_anything()),
                    _ => (ResourceKind::ReviewInvite, client.review_invites(Some(since)).of_anything()),
                };
                List::Things(kind, pages.from_cursor(cursor))
            }
        };
        Self { client, since, list }
    }

    /// The next page, with the messages of the conversations on it.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, ClientError> {
        match &mut self.list {
            List::Things(kind, pages) => {
                let Some(page) = pages.next().await? else { return Ok(None) };
                let candidates = page.iter().filter_map(|item| Candidate::of(*kind, item.json())).collect();
                Ok(Some(Page { examined: page.len() as u64, candidates }))
            }
            List::Conversations(pages) => {
                let Some(page) = pages.next().await? else { return Ok(None) };
                let mut found = Page { examined: 0, candidates: Vec::new() };
                for thread in page.iter().filter_map(|thread: &Item<Thread>| thread.read().ok()) {
                    if let Some(uid) = thread.uid.as_deref()
                        && thread.may_have_news_since(self.since)
                    {
                        match messages(self.client, uid, self.since, &mut found).await {
                            // It is gone, or another's: that says nothing of the others.
                            Err(error) if is_closed(&error) => {
                                tracing::warn!(conversation_uid = uid, %error, "a conversation can't be read back");
                            }
                            read => read?,
                        }
                    }
                }
                Ok(Some(found))
            }
        }
    }

    /// The place in the list.
    pub(super) fn cursor(&self) -> Option<String> {
        let cursor = match &self.list {
            List::Conversations(pages) => pages.cursor(),
            List::Things(_, pages) => pages.cursor(),
        };
        cursor.map(str::to_owned)
    }
}

/// The messages of a conversation since then. Podium does not say in which order they come: where they come newest first, the
/// walk ends at the first page that is too old.
async fn messages(
    client: &Client,
    conversation: &str,
    since: Timestamp,
    found: &mut Page,
) -> Result<(), ClientError> {
    let mut pages = client.messages(conversation);
    while let Some(page) = pages.next().await? {
        let page: Vec<Candidate> =
            page.iter().filter_map(|item| Candidate::of(ResourceKind::Message, item.json())).collect();
        found.examined += page.len() as u64;
        let moments: Vec<Timestamp> = page.iter().filter_map(Candidate::created_at).collect();
        let is_falling = moments.len() > 1
            && moments.is_sorted_by(|one, next| one >= next)
            && moments.first() != moments.last();
        let is_old = moments.len() == page.len() && moments.iter().all(|at| *at < since);
        found
            .candidates
            .extend(page.into_iter().filter(|message| message.created_at().is_none_or(|at| at >= since)));
        if is_falling && is_old {
            break;
        }
    }
    Ok(())
}
