//! Invoices.

use super::told::{Details, Told, key};
use crate::model::{ResourceKeys, ResourceKind, ResourceState, Words};
use crate::podium::invoice::{InvoiceStatus, LineItem};
use crate::podium::{ChannelType, EventType, Invoice};

/// The invoice.
pub(super) fn states(
    told: Told<'_>,
    event_type: &EventType,
    invoice: &Invoice,
) -> Result<Vec<ResourceState>, String> {
    let uid = key(invoice.uid.as_deref()).ok_or("the invoice has no uid")?;
    let (channel, location) = (invoice.channel.as_ref(), invoice.location.as_ref());
    let keys = ResourceKeys {
        conversation_uid: key(invoice.conversation_uid.as_deref()),
        location_uid: location.and_then(|location| key(location.uid.as_deref())),
        organization_uid: location.and_then(|location| key(location.organization_uid.as_deref())),
        channel_type: channel.and_then(|channel| key(channel.r#type.as_ref().map(ChannelType::as_str))),
        channel_identifier: channel.and_then(|channel| key(channel.identifier.as_deref())),
        status: key(invoice.status.as_ref().map(InvoiceStatus::as_str)),
        ..ResourceKeys::default()
    };
    let details = Details {
        at: invoice.created_at,
        step: step(event_type),
        keys,
        name: invoice.customer_name.as_deref(),
        words: words(invoice),
    };
    Ok(vec![told.state(ResourceKind::Invoice, &uid, details, invoice)])
}

/// What an invoice is found by.
pub(super) fn words(invoice: &Invoice) -> Words {
    let lines = invoice.line_items.iter().filter_map(|line: &LineItem| line.description.as_deref());
    let texts = [invoice.customer_name.as_deref(), invoice.invoice_number.as_deref()];
    Words::of(texts.into_iter().flatten().chain(lines))
}

/// Several events name the same latest moment: a payment that fails does so at the moment at which it was begun, as far as the
/// invoice tells.
const fn step(event_type: &EventType) -> u8 {
    match event_type {
        EventType::InvoiceCreated => 0,
        EventType::InvoicePaymentCreated => 1,
        EventType::InvoicePaymentFailed => 2,
        EventType::InvoicePaymentSucceeded | EventType::InvoiceMarkedAsPaid => 3,
        EventType::InvoiceRefundCreated => 4,
        EventType::InvoiceRefundFailed => 5,
        _ => 6,
    }
}
