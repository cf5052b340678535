//! Telephone calls.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, one_of};
use super::{EventType, Params, Refusal, Shown, State, View, link, said, sample};
use crate::model::{Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium;
use crate::store::StoreError;

/// A call.
#[derive(Serialize, ToSchema)]
pub(super) struct Call {
    #[serde(flatten)]
    call: podium::Call,
    events: String,
}

impl Shown for Call {
    fn example() -> Value {
        let call: podium::Call = sample(&EventType::CallCompleted, "");
        let events = link::events("calls", call.uid.as_deref().unwrap_or_default());
        json!(Self { call, events })
    }
}

impl View for Call {
    const KIND: ResourceKind = ResourceKind::Call;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys {
            conversation_uid: params.text("conversationUid"),
            location_uid: params.text("locationUid"),
            organization_uid: params.text("organizationUid"),
            user_uid: params.text("userUid"),
            channel_identifier: params.text("customerPhoneNumber"),
            direction: one_of(params, "direction", &["inbound", "outbound"]),
            status: params.text("status"),
            ..ResourceKeys::default()
        };
        ResourceFilter { keys, ..between(params, "startedAfter", "startedBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        let one = |resource: Resource| {
            Ok::<_, StoreError>(Self { call: said(&resource)?, events: link::events("calls", &resource.uid) })
        };
        Ok(resources.into_iter().map(one).collect::<Result<_, _>>()?)
    }
}
