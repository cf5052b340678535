//! The types of event that Podium sends.

use super::identifier;
use super::open_enum::open_enum;

/// The type given to the signed body that the developer portal's "Send Test" button posts. Podium itself
/// gives that body no type.
pub const TEST: &str = "webhook.test";

/// The type given to a body in which no type can be read.
pub const UNKNOWN: &str = "unknown";

open_enum! {
    /// What an event is about and what happened to it.
    ///
    /// The list is open: a type that Podium adds later is [`EventType::Other`] with its text. A text that is
    /// empty, longer than 255 characters or has control characters is no type at all and becomes
    /// `Other("unknown")`, so that every `EventType` made from text can be stored in any database.
    EventType otherwise storable_or_unknown {
        /// A contact was added.
        ContactCreated = "contact.created",
        /// A contact's details changed.
        ContactUpdated = "contact.updated",
        /// A contact was removed.
        ContactDeleted = "contact.deleted",
        /// One contact was taken up in another.
        ContactMerged = "contact.merged",
        /// A change was asked for and changed nothing.
        ContactUnchanged = "contact.unchanged",
        /// An invoice was made.
        InvoiceCreated = "invoice.created",
        /// An invoice was cancelled.
        InvoiceDisabled = "invoice.disabled",
        /// Somebody at the location said that the invoice was paid elsewhere.
        InvoiceMarkedAsPaid = "invoice.marked_as_paid",
        /// The customer began a payment.
        InvoicePaymentCreated = "invoice.payment_created",
        /// A payment was declined.
        InvoicePaymentFailed = "invoice.payment_failed",
        /// A payment went through.
        InvoicePaymentSucceeded = "invoice.payment_succeeded",
        /// A refund was begun.
        InvoiceRefundCreated = "invoice.refund_created",
        /// A refund did not go through.
        InvoiceRefundFailed = "invoice.refund_failed",
        /// A message from the customer: the only inbound one.
        MessageReceived = "message.received",
        /// A message to the customer, also when one's own integration sent it.
        MessageSent = "message.sent",
        /// A message that did not reach the customer.
        MessageFailed = "message.failed",
        /// A review was published.
        ReviewCreated = "review.created",
        /// A review was edited.
        ReviewUpdated = "review.updated",
        /// An invitation to write a review was made.
        ReviewInviteLinkCreated = "review.invite_link_created",
        /// An invitation was delivered, opened or used.
        ReviewInviteLinkUpdated = "review.invite_link_updated",
        /// The business answered a review.
        ReviewResponseCreated = "review.response_created",
        /// Such an answer was edited or removed.
        ReviewResponseUpdated = "review.response_updated",
        /// A call came in.
        CallReceived = "call.received",
        /// A call ended.
        CallCompleted = "call.completed",
        /// Nobody took a call.
        CallMissed = "call.missed",
        /// The caller left a recording.
        CallVoicemailLeft = "call.voicemail_left",
    }
}

/// The kind of object in an event's `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayloadKind {
    /// A [`Message`](super::Message).
    Message,
    /// A [`ContactChange`](super::ContactChange).
    ContactChange,
    /// An [`Invoice`](super::Invoice).
    Invoice,
    /// A [`Review`](super::Review).
    Review,
    /// A [`ReviewInvite`](super::ReviewInvite).
    ReviewInvite,
    /// A [`ReviewResponse`](super::ReviewResponse).
    ReviewResponse,
    /// A [`Call`](super::Call).
    Call,
    /// Anything: the type is not one of the documented.
    Other,
}

impl EventType {
    /// The kind of object that an event of this type has in its `data`.
    #[must_use]
    pub fn payload_kind(&self) -> PayloadKind {
        match self {
            Self::MessageReceived | Self::MessageSent | Self::MessageFailed => PayloadKind::Message,
            Self::ContactCreated
            | Self::ContactUpdated
            | Self::ContactDeleted
            | Self::ContactMerged
            | Self::ContactUnchanged => PayloadKind::ContactChange,
            Self::InvoiceCreated
            | Self::InvoiceDisabled
            | Self::InvoiceMarkedAsPaid
            | Self::InvoicePaymentCreated
            | Self::InvoicePaymentFailed
            | Self::InvoicePaymentSucceeded
            | Self::InvoiceRefundCreated
            | Self::InvoiceRefundFailed => PayloadKind::Invoice,
            Self::ReviewCreated | Self::ReviewUpdated => PayloadKind::Review,
            Self::ReviewInviteLinkCreated | Self::ReviewInviteLinkUpdated => PayloadKind::ReviewInvite,
            Self::ReviewResponseCreated | Self::ReviewResponseUpdated => PayloadKind::ReviewResponse,
            Self::CallReceived | Self::CallCompleted | Self::CallMissed | Self::CallVoicemailLeft => {
                PayloadKind::Call
            }
            Self::Other(_) => PayloadKind::Other,
        }
    }
}

fn storable_or_unknown(text: &str) -> String {
    identifier::checked(text).unwrap_or(UNKNOWN).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_26_types_are_read_from_their_own_text() {
        assert_eq!(EventType::ALL.len(), 26);
        for event_type in EventType::ALL {
            assert_eq!(&EventType::from(event_type.as_str()), event_type);
            assert_ne!(event_type.payload_kind(), PayloadKind::Other);
        }
    }

    #[test]
    fn an_unfamiliar_type_keeps_its_text() {
        let event_type: EventType = "appointment.booked".parse().unwrap();
        assert_eq!(event_type, EventType::Other("appointment.booked".to_owned()));
        assert_eq!(event_type.to_string(), "appointment.booked");
    }

    #[test]
    fn a_text_that_cannot_be_stored_is_no_type() {
        let unknown = EventType::Other(UNKNOWN.to_owned());
        for text in ["", "message\0.received", "message.received\n", &"a".repeat(256)] {
            assert_eq!(EventType::from(text), unknown, "{text:?}");
        }
        assert_eq!(EventType::from("é".repeat(255).as_str()).as_str(), "é".repeat(255));
    }

    #[test]
    fn in_json_a_type_is_its_text() {
        for text in ["review.invite_link_created", "appointment.booked"] {
            let json = format!("\"{text}\"");
            let event_type: EventType = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&event_type).unwrap(), json);
        }
    }
}
