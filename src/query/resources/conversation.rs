//! Conversations.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, words};
use super::message::Message;
use super::{EventType, Params, Refusal, Shown, State, View, link, said, sample};
use crate::model::{Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium::{self, message};

/// A conversation: what Podium says of it, and what its messages come to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Conversation {
    #[serde(flatten)]
    conversation: message::Conversation,
    /// What the user is called who looks after it, where Podium could be asked.
    assigned_user_name: Option<String>,
    contact_uid: Option<String>,
    contact_name: Option<String>,
    location_uid: Option<String>,
    organization_uid: Option<String>,
    /// When the first message was made that was received here.
    first_activity_at: Option<Timestamp>,
    last_activity_at: Timestamp,
    inbound_messages: u64,
    outbound_messages: u64,
    /// Whether the last word is the customer's; a message that failed is none.
    awaiting_reply: bool,
    last_message: Option<Message>,
    messages: String,
    events: String,
}

impl Shown for Conversation {
    fn example() -> Value {
        let message: podium::Message = sample(&EventType::MessageReceived, "");
        let conversation = message.conversation.unwrap_or_default();
        let uid = conversation.uid.clone().unwrap_or_default();
        json!(Self {
            conversation,
            assigned_user_name: Some("Ann Lee".to_owned()),
            contact_uid: message.contact.and_then(|contact| contact.uid),
            contact_name: message.contact_name,
            location_uid: message.location.as_ref().and_then(|location| location.uid.clone()),
            organization_uid: message.location.and_then(|location| location.organization_uid),
            first_activity_at: message.created_at,
            last_activity_at: message.created_at.unwrap_or_default(),
            inbound_messages: 1,
            outbound_messages: 0,
            awaiting_reply: true,
            last_message: Some(Message::sample()),
            messages: link::messages(&uid),
            events: link::events_of_conversation(&uid),
        })
    }
}

impl View for Conversation {
    const KIND: ResourceKind = ResourceKind::Conversation;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys {
            contact_uid: params.text("contactUid"),
            location_uid: params.text("locationUid"),
            organization_uid: params.text("organizationUid"),
            user_uid: params.text("assignedUserUid"),
            channel_type: params.text("channelType"),
            channel_identifier: params.text("channelIdentifier"),
            is_awaiting: params.switch("awaitingReply"),
            ..ResourceKeys::default()
        };
        ResourceFilter { keys, words: words(params), ..between(params, "activeAfter", "activeBefore") }
    }

    async fn of(state: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        let last: Vec<String> = resources
            .iter()
            .filter_map(|resource| Some(resource.talk.as_ref()?.last_message_uid.clone()))
            .collect();
        let messages = state.mirror.resources_by_uid(ResourceKind::Message, &last).await?;
        let mut messages: HashMap<String, Resource> =
            messages.into_iter().map(|message| (message.uid.clone(), message)).collect();
        let mut views = Vec::with_capacity(resources.len());
        for resource in resources {
            let last = resource.talk.as_ref().and_then(|talk| messages.remove(&talk.last_message_uid));
            let mut view = Self::one(resource, last.map(Message::one).transpose()?)?;
            let user = view.conversation.assigned_user_uid.as_deref();
            view.assigned_user_name =
                state.podium.as_ref().zip(user).and_then(|(podium, uid)| podium.name_of(uid));
            views.push(view);
        }
        Ok(views)
    }
}

impl Conversation {
    fn one(resource: Resource, last_message: Option<Message>) -> Result<Self, Refusal> {
        let conversation = said(&resource)?;
        let Resource { uid, at, keys, name, talk, .. } = resource;
        Ok(Self {
            conversation,
            assigned_user_name: None,
            contact_uid: keys.contact_uid,
            contact_name: name,
            location_uid: keys.location_uid,
            organization_uid: keys.organization_uid,
            first_activity_at: talk.as_ref().map(|talk| talk.first_at),
            last_activity_at: at,
            inbound_messages: talk.as_ref().map_or(0, |talk| talk.inbound),
            outbound_messages: talk.as_ref().map_or(0, |talk| talk.outbound),
            awaiting_reply: keys.is_awaiting.unwrap_or_default(),
            last_message,
            messages: link::messages(&uid),
            events: link::events_of_conversation(&uid),
        })
    }
}
