//! Reviews, the invitations that led to them, and the answers to them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, one_of, words};
use super::{EventType, Params, Refusal, Shown, State, View, link, said, sample};
use crate::model::{Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium;
use crate::podium::identifier;
use crate::store::StoreError;

/// A review, with its answers, and with the invitations that it is put down to.
#[derive(Serialize, ToSchema)]
pub(super) struct Review {
    #[serde(flatten)]
    review: podium::Review,
    invites: Vec<Invite>,
    events: String,
}

impl Shown for Review {
    fn example() -> Value {
        let review: podium::Review = sample(&EventType::ReviewCreated, "");
        let events = link::events("reviews", review.uid.as_deref().unwrap_or_default());
        json!(Self { review, invites: vec![Invite::sample()], events })
    }
}

impl View for Review {
    const KIND: ResourceKind = ResourceKind::Review;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys { is_awaiting: params.switch("needsResponse"), ..ResourceKeys::default() };
        // A review may be of several locations.
        let location = params.text("locationUid");
        let words = words(params).marked("location", location.as_deref());
        ResourceFilter { keys, words, ..between(params, "createdAfter", "createdBefore") }
    }

    async fn of(state: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        let mut reviews = Vec::with_capacity(resources.len());
        for resource in &resources {
            let review: podium::Review = said(resource)?;
            reviews.push((link::events("reviews", &resource.uid), review));
        }
        let named: Vec<String> = reviews.iter().flat_map(|(_, review)| invites_of(review)).collect();
        let invites = state.mirror.resources_by_uid(ResourceKind::ReviewInvite, &named).await?;
        let invites: HashMap<String, Resource> =
            invites.into_iter().map(|invite| (invite.uid.clone(), invite)).collect();
        let mut views = Vec::with_capacity(reviews.len());
        for (events, review) in reviews {
            let of_review = invites_of(&review).filter_map(|uid| invites.get(&uid));
            let invites = of_review.map(Invite::one).collect::<Result<_, _>>()?;
            views.push(Self { review, invites, events });
        }
        Ok(views)
    }
}

/// The uids of the invitations that a review is put down to. What can't be a uid is nobody's, and no database would look for it.
fn invites_of(review: &podium::Review) -> impl Iterator<Item = String> {
    let named =
        review.attributions.iter().filter_map(|attribution| attribution.review_invitation_uid.as_deref());
    named.filter_map(identifier::checked).map(str::to_owned)
}

/// An invitation to write a review.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewInvite)]
pub(super) struct Invite {
    #[serde(flatten)]
    invite: podium::ReviewInvite,
    events: String,
}

impl Invite {
    fn one(resource: &Resource) -> Result<Self, StoreError> {
        Ok(Self { invite: said(resource)?, events: link::events("review-invites", &resource.uid) })
    }

    /// An example of one.
    fn sample() -> Self {
        let invite: podium::ReviewInvite = sample(&EventType::ReviewInviteLinkCreated, "");
        let events = link::events("review-invites", invite.uid.as_deref().unwrap_or_default());
        Self { invite, events }
    }
}

impl Shown for Invite {
    fn example() -> Value {
        json!(Self::sample())
    }
}

impl View for Invite {
    const KIND: ResourceKind = ResourceKind::ReviewInvite;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys {
            location_uid: params.text("locationUid"),
            organization_uid: params.text("organizationUid"),
            user_uid: params.text("senderUid"),
            channel_type: params.text("channelType"),
            channel_identifier: params.text("channelIdentifier"),
            status: params.text("status"),
            ..ResourceKeys::default()
        };
        ResourceFilter { keys, words: words(params), ..between(params, "createdAfter", "createdBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        Ok(resources.iter().map(Self::one).collect::<Result<_, _>>()?)
    }
}

/// The business's answer to a review. Podium does not say to which.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewResponse)]
pub(super) struct Response {
    #[serde(flatten)]
    response: podium::ReviewResponse,
    events: String,
}

impl Shown for Response {
    fn example() -> Value {
        let response: podium::ReviewResponse = sample(&EventType::ReviewResponseCreated, "");
        let events = link::events("review-responses", response.uid.as_deref().unwrap_or_default());
        json!(Self { response, events })
    }
}

impl View for Response {
    const KIND: ResourceKind = ResourceKind::ReviewResponse;

    fn filter(params: &mut Params) -> ResourceFilter {
        let status = one_of(params, "status", &["published", "deleted"]);
        let keys = ResourceKeys { status, ..ResourceKeys::default() };
        ResourceFilter { keys, words: words(params), ..between(params, "publishedAfter", "publishedBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        let one = |resource: Resource| {
            let events = link::events("review-responses", &resource.uid);
            Ok::<_, StoreError>(Self { response: said(&resource)?, events })
        };
        Ok(resources.into_iter().map(one).collect::<Result<_, _>>()?)
    }
}
