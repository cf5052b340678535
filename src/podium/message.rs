//! Messages: the `data` of `message.received`, `message.sent` and `message.failed`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::channel::Channel;
use super::location::Location;
use super::reference::Reference;
use super::{time, unpopulated};

/// A message of a conversation, in any channel.
///
/// The object has no direction: the event's type tells it. `message.received` is from the customer, the
/// others are to the customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Message)]
pub struct Message {
    /// The message's uid. It can be null, and several events can be about one message: it doesn't identify an
    /// event.
    pub uid: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// When the message was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// Why the message could not be sent, in free text.
    pub failure_reason: Option<String>,
    /// The customer's name.
    pub contact_name: Option<String>,
    /// The uid of the Podium user who sent the message, if one did.
    pub sender_uid: Option<String>,
    /// The page with the web chat in which the customer wrote.
    pub webchat_url: Option<String>,
    /// Where the attachment can be read. Deprecated by Podium: see [`MessageItem::attachment_url`].
    pub attachment_url: Option<String>,
    /// The customer. Deprecated by Podium, and sent in webhooks only.
    #[serde(deserialize_with = "unpopulated::object")]
    pub contact: Option<MessageContact>,
    /// The Podium user who sent the message. Deprecated by Podium: see [`Message::sender_uid`].
    #[serde(deserialize_with = "unpopulated::object")]
    pub sender: Option<Reference>,
    /// The conversation that the message is part of.
    #[serde(deserialize_with = "unpopulated::object")]
    pub conversation: Option<Conversation>,
    /// The location that sent or received the message.
    #[serde(deserialize_with = "unpopulated::object")]
    pub location: Option<Location>,
    /// The texts and attachments that make up the message.
    #[serde(deserialize_with = "unpopulated::objects")]
    pub items: Vec<MessageItem>,
}

/// The customer of a [`Message`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MessageContact {
    /// The contact's uid.
    pub uid: Option<String>,
    /// The contact's name.
    pub name: Option<String>,
    /// What another system calls the contact.
    pub external_identifier: Option<String>,
}

/// The conversation of a [`Message`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = podium::Conversation)]
pub struct Conversation {
    /// The conversation's uid.
    pub uid: Option<String>,
    /// The uid of the Podium user who looks after the conversation.
    pub assigned_user_uid: Option<String>,
    /// When the conversation began.
    #[serde(deserialize_with = "time::optional")]
    pub started_at: Option<Timestamp>,
    /// The channel in which it is held.
    #[serde(deserialize_with = "unpopulated::object")]
    pub channel: Option<Channel>,
}

/// One text or one attachment of a [`Message`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MessageItem {
    /// The item's uid.
    pub uid: Option<String>,
    /// What the item is, e.g. `attachment`. Podium documents no list.
    pub r#type: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// The text as the customer sees it.
    pub send_body: Option<String>,
    /// Where the item comes from, e.g. `outbound`. Podium documents no list.
    pub source_type: Option<String>,
    /// How far the item got, e.g. `sent`. Podium documents no list.
    pub delivery_status: Option<String>,
    /// Where the attachment can be read. The address is public and **expires after 7 days**.
    pub attachment_url: Option<String>,
    /// The attachment's media type, e.g. `image/png`.
    pub attachment_content_type: Option<String>,
    /// When the item was made.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When the item was encrypted, if it is.
    #[serde(deserialize_with = "time::optional")]
    pub encrypted_at: Option<Timestamp>,
}
