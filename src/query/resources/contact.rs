//! Contacts.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, one_of, words};
use super::{EventType, Params, Refusal, Shown, State, View, link, said, sample, survivor};
use crate::model::{Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium;
use crate::store::StoreError;

/// A contact: what Podium says of it, and whether it still is one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    #[serde(flatten)]
    contact: podium::Contact,
    /// `active`, `deleted` or `merged`.
    status: Option<String>,
    /// The contact that stays, of one that was merged.
    merged_into: Option<String>,
    events: String,
}

impl Shown for Contact {
    fn example() -> Value {
        let contact: podium::Contact = sample(&EventType::ContactUpdated, "/after");
        let events = link::events("contacts", contact.uid.as_deref().unwrap_or_default());
        json!(Self { contact, status: Some("active".to_owned()), merged_into: None, events })
    }
}

impl View for Contact {
    const KIND: ResourceKind = ResourceKind::Contact;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys {
            organization_uid: params.text("organizationUid"),
            status: one_of(params, "status", &["active", "deleted", "merged"]),
            merged_into: params.text("mergedInto"),
            ..ResourceKeys::default()
        };
        // A contact may belong to several locations, and be reached by several addresses.
        let location = params.text("locationUid");
        let address = params.text("channelIdentifier");
        let words =
            words(params).marked("location", location.as_deref()).marked("channel", address.as_deref());
        ResourceFilter { keys, words, ..between(params, "createdAfter", "createdBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        Ok(resources.into_iter().map(Self::one).collect::<Result<_, _>>()?)
    }
}

impl Contact {
    fn one(resource: Resource) -> Result<Self, StoreError> {
        Ok(Self {
            contact: said(&resource)?,
            events: link::events("contacts", &resource.uid),
            status: resource.keys.status,
            merged_into: resource.keys.merged_into,
        })
    }
}

/// All uids of the person whom this is one of: conversations and messages go on naming the contact that they began with.
pub(super) async fn all_uids(state: &State, uid: String) -> Result<Vec<String>, StoreError> {
    let stays = survivor(state, ResourceKind::Contact, uid.clone()).await?;
    let stays = stays.map_or(uid, |contact| contact.uid);
    state.mirror.merged_uids(ResourceKind::Contact, &stays).await
}
