//! Reviews, the invitations that led to them, and the answers to them.

use super::told::{Details, Told, key};
use crate::model::{ResourceKeys, ResourceKind, ResourceState, Words};
use crate::podium::review_invite::DeliveryStatus;
use crate::podium::{ChannelType, EventType, Review, ReviewInvite, ReviewResponse};

/// The review.
pub(super) fn of_review(
    told: Told<'_>,
    event_type: &EventType,
    review: &Review,
) -> Result<Vec<ResourceState>, String> {
    let uid = key(review.uid.as_deref()).ok_or("the review has no uid")?;
    let keys = ResourceKeys { is_awaiting: review.needs_response, ..ResourceKeys::default() };
    let name = author(review);
    let details = Details {
        at: review.created_at,
        step: u8::from(*event_type != EventType::ReviewCreated),
        keys,
        name,
        words: words_of_review(review),
    };
    Ok(vec![told.state(ResourceKind::Review, &uid, details, review)])
}

fn author(review: &Review) -> Option<&str> {
    review.author.as_ref().and_then(|author| author.name.as_deref())
}

/// What a review is found by.
pub(super) fn words_of_review(review: &Review) -> Words {
    let text = review.review.as_ref().and_then(|content| content.body.as_deref());
    let locations = review.locations.iter().filter_map(|location| location.uid.as_deref());
    Words::of(author(review).into_iter().chain(text)).marked("location", locations)
}

/// What an invitation is found by.
pub(super) fn words_of_invite(invite: &ReviewInvite) -> Words {
    Words::of(invite.customer_name.as_deref())
}

/// What an answer is found by.
pub(super) fn words_of_response(response: &ReviewResponse) -> Words {
    Words::of(response.site_author_name.as_deref().into_iter().chain(response.body.as_deref()))
}

/// The invitation.
pub(super) fn of_invite(
    told: Told<'_>,
    event_type: &EventType,
    invite: &ReviewInvite,
) -> Result<Vec<ResourceState>, String> {
    let uid = key(invite.uid.as_deref()).ok_or("the review invite has no uid")?;
    let (channel, location) = (invite.channel.as_ref(), invite.location.as_ref());
    let keys = ResourceKeys {
        location_uid: location.and_then(|location| key(location.uid.as_deref())),
        organization_uid: location.and_then(|location| key(location.organization_uid.as_deref())),
        user_uid: invite.sender.as_ref().and_then(|sender| key(sender.uid.as_deref())),
        channel_type: channel.and_then(|channel| key(channel.r#type.as_ref().map(ChannelType::as_str))),
        channel_identifier: channel.and_then(|channel| key(channel.identifier.as_deref())),
        status: key(invite.delivery_status.as_ref().map(DeliveryStatus::as_str)),
        ..ResourceKeys::default()
    };
    let details = Details {
        at: invite.created_at,
        step: u8::from(*event_type != EventType::ReviewInviteLinkCreated),
        keys,
        name: invite.customer_name.as_deref(),
        words: words_of_invite(invite),
    };
    Ok(vec![told.state(ResourceKind::ReviewInvite, &uid, details, invite)])
}

/// The answer. Which review it belongs to, Podium does not say.
pub(super) fn of_response(
    told: Told<'_>,
    event_type: &EventType,
    response: &ReviewResponse,
) -> Result<Vec<ResourceState>, String> {
    let uid = key(response.uid.as_deref()).ok_or("the review response has no uid")?;
    let is_deleted = response.is_deleted.unwrap_or_default();
    let keys = ResourceKeys {
        status: Some(if is_deleted { "deleted" } else { "published" }.to_owned()),
        ..ResourceKeys::default()
    };
    let details = Details {
        at: response.publish_date,
        // An answer that was removed names the moment at which it was published, as all the others do.
        step: u8::from(*event_type != EventType::ReviewResponseCreated) + u8::from(is_deleted),
        keys,
        name: response.site_author_name.as_deref(),
        words: words_of_response(response),
    };
    Ok(vec![told.state(ResourceKind::ReviewResponse, &uid, details, response)])
}
