//! Conversations, as Podium lists them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::podium::{Channel, time, unpopulated};

/// A conversation, as Podium lists it. What webhooks say of one is less:
/// [`message::Conversation`](crate::podium::message::Conversation).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Thread {
    /// The conversation's uid.
    pub uid: Option<String>,
    /// The location at which it is held.
    pub location_uid: Option<String>,
    /// The channel in which it is held.
    #[serde(deserialize_with = "unpopulated::object")]
    pub channel: Option<Channel>,
    /// The customer's name.
    pub contact_name: Option<String>,
    /// The uid of the Podium user who looks after it.
    pub assigned_user_uid: Option<String>,
    /// Whether nobody has to do anything about it.
    pub closed: Option<bool>,
    /// When something was last said in it.
    #[serde(deserialize_with = "time::optional")]
    pub last_item_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
    /// When it began.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
}

impl Thread {
    /// Whether something may have been said in it since then. One that names no time may have.
    #[must_use]
    pub fn may_have_news_since(&self, since: Timestamp) -> bool {
        let latest = [self.last_item_at, self.updated_at, self.created_at].into_iter().flatten().max();
        latest.is_none_or(|latest| latest >= since)
    }
}
