//! Messages, and the conversations that they are part of.

use super::told::{Details, Told, key, uid};
use crate::model::{ResourceKeys, ResourceKind, ResourceState, Words};
use crate::podium::message::{Conversation, MessageItem};
use crate::podium::{ChannelType, EventType, Message};

/// The message, and its conversation if it names one.
pub(super) fn states(told: Told<'_>, event_type: &EventType, message: &Message) -> Vec<ResourceState> {
    let of_message = state(told, event_type, message);
    let conversation = message.conversation.as_ref();
    let of_conversation = conversation.and_then(|conversation| of_conversation(told, message, conversation));
    std::iter::once(of_message).chain(of_conversation).collect()
}

fn state(told: Told<'_>, event_type: &EventType, message: &Message) -> ResourceState {
    // A message that failed was made at the moment at which it was sent: the failure comes after.
    let (direction, status, step) = match event_type {
        EventType::MessageReceived => ("inbound", "received", 0),
        EventType::MessageFailed => ("outbound", "failed", 1),
        _ => ("outbound", "sent", 0),
    };
    let item = message.items.iter().find_map(|item| item.uid.as_deref());
    // Podium may leave out a message's own uid; the event's name is then better than no message.
    let uid = uid(&[message.uid.as_deref(), item]).unwrap_or_else(|| told.own_name());
    let sender = message.sender.as_ref().and_then(|sender| sender.uid.as_deref());
    let keys = ResourceKeys {
        conversation_uid: message.conversation.as_ref().and_then(|talk| key(talk.uid.as_deref())),
        user_uid: key(message.sender_uid.as_deref().or(sender)),
        direction: Some(direction.to_owned()),
        status: Some(status.to_owned()),
        ..shared_keys(message)
    };
    let details = Details { at: message.created_at, step, keys, name: name(message), words: words(message) };
    told.state(ResourceKind::Message, &uid, details, message)
}

/// What a message is found by.
pub(super) fn words(message: &Message) -> Words {
    let texts = message.items.iter().flat_map(texts_of_item);
    Words::of(texts.chain(message.body.as_deref()).chain(message.contact_name.as_deref()))
}

/// What a conversation is found by, with whoever has that name.
pub(super) fn words_of_conversation(name: Option<&str>, conversation: &Conversation) -> Words {
    let address = conversation.channel.as_ref().and_then(|channel| channel.identifier.as_deref());
    Words::of(name.into_iter().chain(address))
}

fn of_conversation(told: Told<'_>, message: &Message, conversation: &Conversation) -> Option<ResourceState> {
    let uid = key(conversation.uid.as_deref())?;
    let keys =
        ResourceKeys { user_uid: key(conversation.assigned_user_uid.as_deref()), ..shared_keys(message) };
    let words = words_of_conversation(name(message), conversation);
    let details = Details { at: message.created_at, step: 0, keys, name: name(message), words };
    Some(told.state(ResourceKind::Conversation, &uid, details, conversation))
}

/// What a message and its conversation are both asked for by.
fn shared_keys(message: &Message) -> ResourceKeys {
    let (contact, location) = (message.contact.as_ref(), message.location.as_ref());
    let channel = message.conversation.as_ref().and_then(|conversation| conversation.channel.as_ref());
    ResourceKeys {
        contact_uid: contact.and_then(|contact| key(contact.uid.as_deref())),
        location_uid: location.and_then(|location| key(location.uid.as_deref())),
        organization_uid: location.and_then(|location| key(location.organization_uid.as_deref())),
        channel_type: channel.and_then(|channel| key(channel.r#type.as_ref().map(ChannelType::as_str))),
        channel_identifier: channel.and_then(|channel| key(channel.identifier.as_deref())),
        ..ResourceKeys::default()
    }
}

fn name(message: &Message) -> Option<&str> {
    let contact = message.contact.as_ref().and_then(|contact| contact.name.as_deref());
    message.contact_name.as_deref().or(contact)
}

fn texts_of_item(item: &MessageItem) -> impl Iterator<Item = &str> {
    item.body.as_deref().into_iter().chain(item.send_body.as_deref())
}
