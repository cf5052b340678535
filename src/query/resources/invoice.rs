//! Invoices.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::filter::{between, words};
use super::{EventType, Params, Refusal, Shown, State, View, link, said, sample};
use crate::model::{Resource, ResourceFilter, ResourceKeys, ResourceKind};
use crate::podium;
use crate::store::StoreError;

/// An invoice, with its payments and their refunds.
#[derive(Serialize, ToSchema)]
pub(super) struct Invoice {
    #[serde(flatten)]
    invoice: podium::Invoice,
    events: String,
}

impl Shown for Invoice {
    fn example() -> Value {
        let invoice: podium::Invoice = sample(&EventType::InvoicePaymentSucceeded, "");
        let events = link::events("invoices", invoice.uid.as_deref().unwrap_or_default());
        json!(Self { invoice, events })
    }
}

impl View for Invoice {
    const KIND: ResourceKind = ResourceKind::Invoice;

    fn filter(params: &mut Params) -> ResourceFilter {
        let keys = ResourceKeys {
            conversation_uid: params.text("conversationUid"),
            location_uid: params.text("locationUid"),
            organization_uid: params.text("organizationUid"),
            channel_type: params.text("channelType"),
            channel_identifier: params.text("channelIdentifier"),
            status: params.text("status"),
            ..ResourceKeys::default()
        };
        ResourceFilter { keys, words: words(params), ..between(params, "createdAfter", "createdBefore") }
    }

    async fn of(_: &State, resources: Vec<Resource>) -> Result<Vec<Self>, Refusal> {
        let one = |resource: Resource| {
            Ok::<_, StoreError>(Self {
                invoice: said(&resource)?,
                events: link::events("invoices", &resource.uid),
            })
        };
        Ok(resources.into_iter().map(one).collect::<Result<_, _>>()?)
    }
}
