//! Telephone calls.

use super::told::{Details, Told, key};
use crate::model::{ResourceKeys, ResourceKind, ResourceState, Words};
use crate::podium::call::{CallDirection, CallStatus};
use crate::podium::{Call, ChannelType, EventType};

/// The call.
pub(super) fn states(
    told: Told<'_>,
    event_type: &EventType,
    call: &Call,
) -> Result<Vec<ResourceState>, String> {
    let uid = key(call.uid.as_deref()).ok_or("the call has no uid")?;
    let keys = ResourceKeys {
        conversation_uid: key(call.conversation_uid.as_deref()),
        location_uid: key(call.location_uid.as_deref()),
        organization_uid: key(call.organization_uid.as_deref()),
        user_uid: key(call.user_uid.as_deref()),
        channel_type: Some(ChannelType::Phone.as_str().to_owned()),
        channel_identifier: key(call.customer_phone_number.as_deref()),
        direction: key(call.direction.as_ref().map(CallDirection::as_str)),
        status: key(call.status.as_ref().map(CallStatus::as_str)),
        ..ResourceKeys::default()
    };
    let step = match event_type {
        EventType::CallReceived => 0,
        EventType::CallVoicemailLeft => 2,
        _ => 1,
    };
    let details = Details { at: call.started_at, step, keys, name: None, words: words(call) };
    Ok(vec![told.state(ResourceKind::Call, &uid, details, call)])
}

/// What a call is found by.
pub(super) fn words(call: &Call) -> Words {
    Words::of(call.customer_phone_number.as_deref())
}
