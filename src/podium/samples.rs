//! An invented event of every type, for trials and tests: the people, numbers and addresses are nobody's.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::event_type::EventType;
use super::keys::Keys;
use super::time;

/// What the developer portal's "Send Test" posts.
pub const SEND_TEST: &str = r#"{"data":"Data for the test webhook event :)"}"#;

/// What makes a sample an event of its own.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The new event's uid.
    pub event_uid: String,
    /// The uid of the message, contact, invoice, … that it is about.
    pub subject_uid: String,
    /// The conversation's uid. Without one the sample keeps its own; a sample that has none stays without.
    pub conversation_uid: Option<String>,
    /// When it happened. The sample's other times keep their distance to it.
    pub occurred_at: Timestamp,
}

/// The sample body of a type. None for [`EventType::Other`].
#[must_use]
pub fn body(event_type: &EventType) -> Option<&'static str> {
    Some(match event_type {
        EventType::ContactCreated => include_str!("samples/contact.created.json"),
        EventType::ContactUpdated => include_str!("samples/contact.updated.json"),
        EventType::ContactDeleted => include_str!("samples/contact.deleted.json"),
        EventType::ContactMerged => include_str!("samples/contact.merged.json"),
        EventType::ContactUnchanged => include_str!("samples/contact.unchanged.json"),
        EventType::InvoiceCreated => include_str!("samples/invoice.created.json"),
        EventType::InvoiceDisabled => include_str!("samples/invoice.disabled.json"),
        EventType::InvoiceMarkedAsPaid => include_str!("samples/invoice.marked_as_paid.json"),
        EventType::InvoicePaymentCreated => include_str!("samples/invoice.payment_created.json"),
        EventType::InvoicePaymentFailed => include_str!("samples/invoice.payment_failed.json"),
        EventType::InvoicePaymentSucceeded => include_str!("samples/invoice.payment_succeeded.json"),
        EventType::InvoiceRefundCreated => include_str!("samples/invoice.refund_created.json"),
        EventType::InvoiceRefundFailed => include_str!("samples/invoice.refund_failed.json"),
        EventType::MessageReceived => include_str!("samples/message.received.json"),
        EventType::MessageSent => include_str!("samples/message.sent.json"),
        EventType::MessageFailed => include_str!("samples/message.failed.json"),
        EventType::ReviewCreated => include_str!("samples/review.created.json"),
        EventType::ReviewUpdated => include_str!("samples/review.updated.json"),
        EventType::ReviewInviteLinkCreated => include_str!("samples/review.invite_link_created.json"),
        EventType::ReviewInviteLinkUpdated => include_str!("samples/review.invite_link_updated.json"),
        EventType::ReviewResponseCreated => include_str!("samples/review.response_created.json"),
        EventType::ReviewResponseUpdated => include_str!("samples/review.response_updated.json"),
        EventType::CallReceived => include_str!("samples/call.received.json"),
        EventType::CallCompleted => include_str!("samples/call.completed.json"),
        EventType::CallMissed => include_str!("samples/call.missed.json"),
        EventType::CallVoicemailLeft => include_str!("samples/call.voicemail_left.json"),
        EventType::Other(_) => return None,
    })
}

/// The sample body of a type, made an event of its own. None for [`EventType::Other`].
#[must_use]
pub fn fresh(event_type: &EventType, fresh: &Fresh) -> Option<Vec<u8>> {
    let mut sample: Value =
        serde_json::from_str(body(event_type)?).expect("the samples are compiled in, and a test reads each");
    let keys = Keys::of(event_type, &sample["data"]);
    let shift = keys.occurred_at.map_or(SignedDuration::ZERO, |time| fresh.occurred_at.duration_since(time));
    let renamed = |text: &str| {
        if Some(text) == keys.subject_uid.as_deref() {
            Some(fresh.subject_uid.clone())
        } else if Some(text) == keys.conversation_uid.as_deref() {
            fresh.conversation_uid.clone()
        } else {
            time::parse(text).and_then(|time| time.checked_add(shift).ok()).map(|time| time.to_string())
        }
    };
    rewrite(&mut sample["data"], &renamed);
    for parts in ["items", "payments"] {
        for part in sample["data"].get_mut(parts).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::String(uid)) = part.get_mut("uid") {
                *uid = part_uid(&fresh.subject_uid, uid);
            }
        }
    }
    sample["metadata"]["eventUid"] = Value::from(fresh.event_uid.as_str());
    Some(sample.to_string().into_bytes())
}

fn rewrite(value: &mut Value, renamed: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = renamed(text) {
                *text = new;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rewrite(value, renamed)),
        Value::Object(fields) => fields.values_mut().for_each(|value| rewrite(value, renamed)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A uid for a part of the subject: the same for the same subject, different for any other.
fn part_uid(subject_uid: &str, sample_uid: &str) -> String {
    let digest = Sha256::new().chain_update(subject_uid).chain_update(sample_uid).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests;
