//! Something that Podium has, and the event by which it would have told of it.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::{Resource, ResourceKind};
use crate::podium::parse_time;

/// Something that Podium has.
pub(super) struct Candidate {
    /// What it is.
    pub(super) kind: ResourceKind,
    /// Its uid.
    pub(super) uid: String,
    /// The locations that it belongs to, as far as it says so.
    pub(super) locations: Vec<String>,
    /// The organization, if it says so.
    pub(super) organization: Option<String>,
    /// Its JSON, as it came.
    pub(super) json: String,
    /// What it says.
    value: Value,
}

impl Candidate {
    /// None of what has no uid: it could not be told from others.
    pub(super) fn of(kind: ResourceKind, json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let first = |pointers: &[&str]| pointers.iter().find_map(|pointer| text(pointer));
        let several = value.get("locations").and_then(Value::as_array).into_iter().flatten();
        let several: Vec<String> =
            several.filter_map(|location| Some(location.get("uid")?.as_str()?.to_owned())).collect();
        Some(Self {
            kind,
            uid: first(&["/uid", "/items/0/uid"])?,
            locations: first(&["/location/uid", "/locationUid"]).into_iter().chain(several).collect(),
            organization: first(&["/location/organizationUid", "/organizationUid", "/organization/uid"]),
            json: json.to_owned(),
            value,
        })
    }

    /// When it was made.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        moment(&self.value, "createdAt")
    }

    /// The type of the event that is missing, of what the mirror knows; none when nothing is missing. What was made before
    /// `since` was changed since, wherever it was made.
    pub(super) fn event_type(&self, known: Option<&Resource>, since: Timestamp) -> Option<&'static str> {
        let is_made = self.created_at().is_none_or(|at| at >= since);
        let (contact, review, invite) = if is_made {
            ("contact.created", "review.created", "review.invite_link_created")
        } else {
            ("contact.updated", "review.updated", "review.invite_link_updated")
        };
        let status = |value: &Value| value.get("status").and_then(Value::as_str).map(str::to_owned);
        match self.kind {
            ResourceKind::Message => {
                let event_type = self.type_of_message();
                let failed_since = known.is_some_and(|known| known.keys.status.as_deref() != Some("failed"));
                (known.is_none() || (event_type == "message.failed" && failed_since)).then_some(event_type)
            }
            ResourceKind::Contact => match known {
                None => Some(contact),
                // Whatever is said of it after its end is older, or wrong.
                Some(known) if known.keys.status.as_deref() != Some("active") => None,
                Some(known) => self.is_newer(known).then_some("contact.updated"),
            },
            ResourceKind::Invoice => match known {
                None => Some(type_of_invoice(status(&self.value).as_deref())),
                Some(known) => {
                    let status = status(&self.value);
                    (status.is_some() && known.keys.status != status)
                        .then(|| type_of_invoice(status.as_deref()))
                }
            },
            ResourceKind::Review => match known {
                None => Some(review),
                Some(known) => self.is_newer(known).then_some("review.updated"),
            },
            ResourceKind::ReviewInvite => match known {
                None => Some(invite),
                Some(known) => self.is_newer(known).then_some("review.invite_link_updated"),
            },
            ResourceKind::Conversation | ResourceKind::ReviewResponse | ResourceKind::Call => None,
        }
    }

    /// The body that Podium would have sent. The event's name is made of what it says, so that it is the same however often
    /// it is read back.
    pub(super) fn body(&self, event_type: &str) -> Bytes {
        let told = Sha256::new()
            .chain_update(event_type.as_bytes())
            .chain_update([0])
            .chain_update(self.uid.as_bytes())
            .chain_update([0])
            .chain_update(self.state().as_bytes())
            .finalize();
        let uid = format!("lectern:repair:{}", hex::encode(&told[..16]));
        let data = match self.kind {
            ResourceKind::Contact => format!(r#"{{"after":{},"before":{{}},"errors":[]}}"#, self.json),
            _ => self.json.clone(),
        };
        let body = format!(
            r#"{{"data":{data},"metadata":{{"eventType":"{event_type}","eventUid":"{uid}","version":"2021.04.01"}}}}"#
        );
        body.into()
    }

    /// What tells one state of it from another.
    fn state(&self) -> String {
        let part = |key: &str| self.value.get(key).map(Value::to_string).unwrap_or_default();
        [part("updatedAt"), part("status"), part("failureReason")].join("\0")
    }

    /// Podium's messages have no direction. What a user of Podium's sent, and what went out, is to the customer.
    fn type_of_message(&self) -> &'static str {
        let is_text =
            |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if is_text(self.value.get("failureReason")) {
            return "message.failed";
        }
        let items = self.value.get("items").and_then(Value::as_array);
        let source_types = items.into_iter().flatten().filter_map(|item| item.get("sourceType")?.as_str());
        let went_out = source_types.into_iter().any(|source_type| source_type == "outbound");
        let has_sender = is_text(self.value.get("senderUid")) || is_text(self.value.pointer("/sender/uid"));
        if went_out || has_sender { "message.sent" } else { "message.received" }
    }

    fn is_newer(&self, known: &Resource) -> bool {
        let known: Value = serde_json::from_str(&known.data).unwrap_or_default();
        let latest = |value: &Value| moment(value, "updatedAt").or_else(|| moment(value, "createdAt"));
        latest(&self.value) > latest(&known)
    }
}

fn moment(value: &Value, key: &str) -> Option<Timestamp> {
    parse_time(value.get(key)?.as_str()?)
}

/// The event after which an invoice has this status.
fn type_of_invoice(status: Option<&str>) -> &'static str {
    match status {
        Some("paid") => "invoice.payment_succeeded",
        Some("marked_as_paid") => "invoice.marked_as_paid",
        Some("canceled" | "expired") => "invoice.disabled",
        Some("pending" | "under_review") => "invoice.payment_created",
        Some("failed") => "invoice.payment_failed",
        Some("refunded" | "partial_refund" | "refund_pending") => "invoice.refund_created",
        Some("refund_failed") => "invoice.refund_failed",
        _ => "invoice.created",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::podium;

    fn message(json: &str) -> &'static str {
        let candidate = Candidate::of(ResourceKind::Message, json).unwrap();
        candidate.event_type(None, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_message_is_told_of_by_the_type_that_podium_would_have_used() {
        assert_eq!(message(r#"{"uid":"m","body":"hi"}"#), "message.received");
        assert_eq!(message(r#"{"uid":"m","senderUid":"u"}"#), "message.sent");
        assert_eq!(message(r#"{"uid":"m","sender":{"uid":"u"}}"#), "message.sent");
        assert_eq!(message(r#"{"uid":"m","items":[{"sourceType":"outbound"}]}"#), "message.sent");
        assert_eq!(
            message(r#"{"uid":"m","items":[{"sourceType":"inbound"}],"senderUid":null}"#),
            "message.received"
        );
        assert_eq!(message(r#"{"uid":"m","failureReason":"a landline","senderUid":"u"}"#), "message.failed");
        assert_eq!(message(r#"{"uid":null,"items":[{"uid":"i"}],"failureReason":""}"#), "message.received");
        assert!(Candidate::of(ResourceKind::Message, r#"{"uid":null}"#).is_none());
        assert!(Candidate::of(ResourceKind::Message, "[").is_none());
    }

    #[test]
    fn what_was_made_long_ago_is_not_made_again() {
        let type_of = |json: &str| {
            let since = "2026-11-20T00:00:00Z".parse().unwrap();
            Candidate::of(ResourceKind::Contact, json).unwrap().event_type(None, since)
        };
        assert_eq!(type_of(r#"{"uid":"c","createdAt":"2026-11-20T09:00:00"}"#), Some("contact.created"));
        assert_eq!(type_of(r#"{"uid":"c","createdAt":"2019-01-01T09:00:00Z"}"#), Some("contact.updated"));
        assert_eq!(type_of(r#"{"uid":"c"}"#), Some("contact.created"));
    }

    #[test]
    fn an_event_that_is_read_back_is_one_that_podium_could_have_sent() {
        let contact = r#"{"uid":"c","name":"Ann","updatedAt":"2026-11-20T09:00:00Z"}"#;
        let candidate = Candidate::of(ResourceKind::Contact, contact).unwrap();
        let body = candidate.body("contact.created");
        let decoded = podium::decode(&body);
        assert_eq!(decoded.event_type, podium::EventType::ContactCreated);
        assert_eq!(decoded.keys.contact_uid.as_deref(), Some("c"));
        assert!(decoded.event.is_ok());
        let again = Candidate::of(ResourceKind::Contact, contact).unwrap().body("contact.created");
        assert_eq!(body, again);
        let changed = contact.replace("2026-11-20", "2026-11-21");
        let changed = Candidate::of(ResourceKind::Contact, &changed).unwrap().body("contact.created");
        assert_ne!(decoded.event_uid, podium::decode(&changed).event_uid);
    }
}
