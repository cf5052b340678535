//! Messages.

use axum::extract::State as Extracted;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, one_of, words};
use super::{
    EventType, Id, Page, Params, Refusal, Shown, State, Uid, View, Wanted, link, page_of, said, sample,
    survivor,
};
use crate::model::{Place, Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium;
use crate::store::StoreError;

/// A message: what Podium says of it, with its direction and how far it got.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(flatten)]
    message: podium::Message,
    /// `inbound` is from the customer.
    direction: Option<String>,
    /// `received`, `sent` or `failed`.
    status: Option<String>,
    events: String,
}

impl Message {
    /// How one message looks.
    pub(super) fn one(resource: Resource) -> Result<Self, StoreError> {
        let mut message: podium::Message = said(&resource)?;
        let events = link::events("messages", &resource.uid);
        // One that Podium gave no uid is known by that of its event.
        message.uid = Some(resource.uid);
        Ok(Self { message, direction: resource.keys.direction, status: resource.keys.status, events })
    }

    /// An example of one.
    pub(super) fn sample() -> Self {
        let message: podium::Message = sample(&EventType::MessageReceived, "");
        let events = link::events("messages", message.uid.as_deref().unwrap_or_default());
        let (direction, status) = (Some("inbound".to_owned()), Some("received".to_owned()));
        Self { message, direction, status, events }
    }
}

impl Shown for Message {
    fn example() -> Value {
        json!(Self::sample())
    }
}

impl View for Message {
    const KIND: ResourceKind = ResourceKind::Message;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys =
            ResourceKeys { conversation_uid: params.text("conversationUid"), ..keys_of_messages(params) };
        ResourceFilter { keys, words: words(params), ..between(params, "createdAfter", "createdBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        Ok(resources.into_iter().map(Self::one).collect::<Result<_, _>>()?)
    }
}

fn keys_of_messages(params: &mut Params) -> ResourceKeys {
    ResourceKeys {
        contact_uid: params.text("contactUid"),
        location_uid: params.text("locationUid"),
        organization_uid: params.text("organizationUid"),
        user_uid: params.text("senderUid"),
        channel_type: params.text("channelType"),
        channel_identifier: params.text("channelIdentifier"),
        direction: one_of(params, "direction", &["inbound", "outbound"]),
        status: one_of(params, "status", &["received", "sent", "failed"]),
        ..ResourceKeys::default()
    }
}

/// `GET /api/v1/conversations/{uid}/messages`
pub(super) async fn of_conversation(
    Extracted(state): Extracted<State>,
    Id(uid): Id<Uid>,
    page: Page<Wanted<Message>, Place>,
) -> Result<Response, Refusal> {
    let Uid(uid) = uid;
    let mut filter = page.filter.filter.clone();
    // Asked for another conversation's messages, this one has none.
    let is_another = filter.keys.conversation_uid.as_ref().is_some_and(|asked| *asked != uid);
    if is_another || survivor(&state, ResourceKind::Conversation, uid.clone()).await?.is_none() {
        return Err(Refusal::NotMirrored);
    }
    filter.keys.conversation_uid = Some(uid);
    page_of::<Message, _>(&state, &page, filter).await
}
