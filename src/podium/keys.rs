//! What events are listed, filtered and ordered by.

use jiff::Timestamp;
use serde_json::Value;

use super::event_type::{EventType, PayloadKind};
use super::{identifier, time};

/// The uids and the time in an event's payload.
///
/// They are read from the JSON itself and each for itself: a payload that doesn't fit its type still has its
/// conversation. A uid that is empty, longer than 255 characters or has control characters is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The object that the event is about: the message, contact, invoice, review, review invite, review
    /// response or call. Of merged contacts it is the one that stays, of a deleted one the deleted.
    pub subject_uid: Option<String>,
    /// The conversation. An event about a contact has none, even if the contact has conversations.
    pub conversation_uid: Option<String>,
    /// The contact. Of a message only as long as Podium sends the `contact` that it has deprecated.
    pub contact_uid: Option<String>,
    /// The location. None when several are named, as can be with contacts and reviews.
    pub location_uid: Option<String>,
    /// The organization.
    pub organization_uid: Option<String>,
    /// When it happened, as near as the payload tells: the latest of the times that it names for its subject.
    /// Podium sends the subject as it is after the event, so its latest time is the event's own. A message
    /// that failed and a contact that was deleted have no time for that, only for what came before.
    pub occurred_at: Option<Timestamp>,
}

/// Where the keys lie in one kind of payload. A path goes through the names of properties; `*` is every
/// element of an array. Of several paths to a uid the first counts that leads to any.
struct Paths {
    subject: &'static [&'static str],
    conversation: &'static [&'static str],
    contact: &'static [&'static str],
    location: &'static [&'static str],
    organization: &'static [&'static str],
    times: &'static [&'static str],
}

const MESSAGE: Paths = Paths {
    subject: &["uid"],
    conversation: &["conversation.uid"],
    contact: &["contact.uid"],
    location: &["location.uid"],
    organization: &["location.organizationUid"],
    times: &["createdAt"],
};

const CONTACT_CHANGE: Paths = Paths {
    subject: &["after.uid", "before.uid"],
    conversation: &[],
    contact: &["after.uid", "before.uid"],
    location: &["after.locations.*.uid", "before.locations.*.uid"],
    organization: &["after.organization.uid", "before.organization.uid"],
    times: &["after.createdAt", "after.updatedAt", "before.createdAt", "before.updatedAt"],
};

const INVOICE: Paths = Paths {
    subject: &["uid"],
    conversation: &["conversationUid"],
    contact: &[],
    location: &["location.uid"],
    organization: &["location.organizationUid"],
    // Not the times of settlement: money moves without an event.
    times: &["createdAt", "paidAt", "canceledAt", "payments.*.createdAt", "payments.*.refunds.*.createdAt"],
};

const REVIEW: Paths = Paths {
    subject: &["uid"],
    conversation: &[],
    contact: &[],
    location: &["locations.*.uid"],
    organization: &[],
    times: &["createdAt", "updatedAt"],
};

const REVIEW_INVITE: Paths = Paths {
    subject: &["uid"],
    conversation: &[],
    contact: &[],
    location: &["location.uid"],
    organization: &["location.organizationUid"],
    times: &["createdAt", "updatedAt", "linkClickedAt"],
};

const REVIEW_RESPONSE: Paths = Paths {
    subject: &["uid"],
    conversation: &[],
    contact: &[],
    location: &[],
    organization: &[],
    times: &["publishDate"],
};

const CALL: Paths = Paths {
    subject: &["uid"],
    conversation: &["conversationUid"],
    contact: &[],
    location: &["locationUid"],
    organization: &["organizationUid"],
    times: &["startedAt", "endedAt"],
};

/// For types that are not documented yet: the names that Podium uses everywhere.
const OTHER: Paths = Paths {
    subject: &["uid"],
    conversation: &["conversation.uid", "conversationUid"],
    contact: &["contact.uid", "contactUid"],
    location: &["location.uid", "locationUid"],
    organization: &["organization.uid", "organizationUid", "location.organizationUid"],
    times: &["createdAt", "updatedAt"],
};

impl Keys {
    /// Reads the keys of an event of the given type from its `data`.
    #[must_use]
    pub fn of(event_type: &EventType, data: &Value) -> Self {
        let paths = match event_type.payload_kind() {
            PayloadKind::Message => MESSAGE,
            PayloadKind::ContactChange => CONTACT_CHANGE,
            PayloadKind::Invoice => INVOICE,
            PayloadKind::Review => REVIEW,
            PayloadKind::ReviewInvite => REVIEW_INVITE,
            PayloadKind::ReviewResponse => REVIEW_RESPONSE,
            PayloadKind::Call => CALL,
            PayloadKind::Other => OTHER,
        };
        Self {
            subject_uid: uid(data, paths.subject),
            conversation_uid: uid(data, paths.conversation),
            contact_uid: uid(data, paths.contact),
            location_uid: uid(data, paths.location),
            organization_uid: uid(data, paths.organization),
            occurred_at: latest(data, paths.times),
        }
    }

    /// The key that events share if one must be handled before the other. None if there is nothing to go by.
    ///
    /// An event that names a conversation goes by it, whatever it is about: so a missed call comes before the text
    /// that answers it. Else it goes by the contact, else by its own subject.
    ///
    /// | the event is about | its key |
    /// |---|---|
    /// | a message | `conversation:…`, else `contact:…`, else `message:…` |
    /// | an invoice, a call | `conversation:…`, else `invoice:…`, `call:…` |
    /// | a contact | `contact:…`; of merged contacts the one that stays |
    /// | a review, a review invite, a review response | `review:…`, `review_invite:…`, `review_response:…` |
    /// | anything else | `conversation:…`, else `contact:…`, else `subject:…` |
    #[must_use]
    pub fn ordering_key(&self, event_type: &EventType) -> Option<String> {
        let own = match event_type.payload_kind() {
            PayloadKind::Message => "message",
            PayloadKind::ContactChange => "contact",
            PayloadKind::Invoice => "invoice",
            PayloadKind::Review => "review",
            PayloadKind::ReviewInvite => "review_invite",
            PayloadKind::ReviewResponse => "review_response",
            PayloadKind::Call => "call",
            PayloadKind::Other => "subject",
        };
        let candidates = [
            ("conversation", &self.conversation_uid),
            ("contact", &self.contact_uid),
            (own, &self.subject_uid),
        ];
        candidates.into_iter().find_map(|(kind, uid)| Some(format!("{kind}:{}", uid.as_ref()?)))
    }
}

/// The uid at the first of the paths that leads to any; none if it leads to different ones.
fn uid(data: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| {
        let mut uids = texts_at(data, path).into_iter().filter_map(identifier::checked);
        let first = uids.next()?;
        Some(uids.all(|other| other == first).then(|| first.to_owned()))
    })?
}

/// The latest of the times at all paths. One before 1970 is no time of Podium's, and PostgreSQL could not store
/// every such time that can be written.
fn latest(data: &Value, paths: &[&str]) -> Option<Timestamp> {
    let times = paths.iter().flat_map(|path| texts_at(data, path)).filter_map(time::parse);
    times.filter(|time| *time >= Timestamp::UNIX_EPOCH).max()
}

/// The texts to which a path leads: one at most, or several if it goes through arrays.
fn texts_at<'v>(data: &'v Value, path: &str) -> Vec<&'v str> {
    if !path.contains('*') {
        let value = path.split('.').try_fold(data, |value, name| value.get(name));
        return value.and_then(Value::as_str).into_iter().collect();
    }
    let mut values = vec![data];
    for name in path.split('.') {
        values = match name {
            "*" => values.into_iter().filter_map(Value::as_array).flatten().collect(),
            name => values.into_iter().filter_map(|value| value.get(name)).collect(),
        };
    }
    values.into_iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deepest_path_is_within_what_is_salvaged() {
        let (mut paths, mut steps) = (0, 0);
        for kind in [MESSAGE, CONTACT_CHANGE, INVOICE, REVIEW, REVIEW_INVITE, REVIEW_RESPONSE, CALL, OTHER] {
            let lists =
                [kind.subject, kind.conversation, kind.contact, kind.location, kind.organization, kind.times];
            for path in lists.concat() {
                paths += 1;
                steps = steps.max(path.split('.').count());
            }
        }
        assert!(paths > 0);
        assert_eq!(steps, super::super::data::DEPTH);
    }

    #[test]
    fn a_uid_that_cannot_be_stored_is_left_out() {
        for uid in [json!(""), json!("a\u{0}b"), json!("a".repeat(256)), json!(7), json!(null), json!({})] {
            let keys = Keys::of(&EventType::ReviewUpdated, &json!({"uid": uid}));
            assert_eq!(keys, Keys::default(), "{uid}");
        }
    }

    #[test]
    fn of_several_locations_none_is_picked() {
        let data = json!({"uid": "r", "locations": [{"uid": "here"}, {"uid": "here"}]});
        assert_eq!(Keys::of(&EventType::ReviewCreated, &data).location_uid.as_deref(), Some("here"));
        let data = json!({"uid": "r", "locations": [{"uid": "here"}, {"uid": "there"}]});
        assert_eq!(Keys::of(&EventType::ReviewCreated, &data).location_uid, None);
        let data = json!({"after": data, "before": {"locations": [{"uid": "here"}]}});
        assert_eq!(Keys::of(&EventType::ContactUpdated, &data).location_uid, None);
    }

    #[test]
    fn an_invoice_event_happened_at_the_latest_of_the_invoices_times() {
        let data = json!({
            "createdAt": "2026-03-01T09:00:00Z",
            "paidAt": "2026-03-02T09:00:00Z",
            "payments": [
                {"createdAt": "2026-03-02T08:59:00Z", "settledAt": "2026-03-09T00:00:00Z"},
                {"createdAt": "nonsense", "refunds": [{"createdAt": "2026-03-05T10:00:00Z"}]},
            ],
        });
        let keys = Keys::of(&EventType::InvoiceRefundCreated, &data);
        assert_eq!(keys.occurred_at, "2026-03-05T10:00:00Z".parse().ok());
    }

    #[test]
    fn a_time_that_cannot_be_stored_is_left_out() {
        for time in ["-009999-01-02T01:59:59Z", "-004800-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "later"] {
            let keys = Keys::of(&EventType::MessageSent, &json!({"createdAt": time}));
            assert_eq!(keys.occurred_at, None, "{time}");
        }
    }

    #[test]
    fn merged_contacts_go_by_the_one_that_stays() {
        let data = json!({"before": {"uid": "gone"}, "after": {"uid": "stays"}});
        let keys = Keys::of(&EventType::ContactMerged, &data);
        assert_eq!(keys.ordering_key(&EventType::ContactMerged).as_deref(), Some("contact:stays"));
        let data = json!({"before": {"uid": "gone"}, "after": {}});
        let keys = Keys::of(&EventType::ContactDeleted, &data);
        assert_eq!(keys.ordering_key(&EventType::ContactDeleted).as_deref(), Some("contact:gone"));
    }

    #[test]
    fn a_message_goes_by_its_conversation_else_its_contact_else_itself() {
        let sent = EventType::MessageSent;
        let mut data = json!({"uid": "m", "contact": {"uid": "p"}, "conversation": {"uid": "c"}});
        assert_eq!(Keys::of(&sent, &data).ordering_key(&sent).as_deref(), Some("conversation:c"));
        data["conversation"] = json!({});
        assert_eq!(Keys::of(&sent, &data).ordering_key(&sent).as_deref(), Some("contact:p"));
        data["contact"] = json!(null);
        assert_eq!(Keys::of(&sent, &data).ordering_key(&sent).as_deref(), Some("message:m"));
        data["uid"] = json!(null);
        assert_eq!(Keys::of(&sent, &data).ordering_key(&sent), None);
    }

    #[test]
    fn whatever_names_a_conversation_goes_by_it() {
        let data = json!({"uid": "k", "conversationUid": "c", "conversation": {"uid": "c"}});
        for event_type in [EventType::CallMissed, EventType::InvoiceCreated, EventType::MessageSent] {
            let key = Keys::of(&event_type, &data).ordering_key(&event_type);
            assert_eq!(key.as_deref(), Some("conversation:c"), "{event_type}");
        }
        let data = json!({"uid": "k", "conversationUid": null});
        let call = EventType::CallMissed;
        assert_eq!(Keys::of(&call, &data).ordering_key(&call).as_deref(), Some("call:k"));
    }

    #[test]
    fn an_unfamiliar_event_goes_by_the_usual_names() {
        let booked = EventType::from("appointment.booked");
        let keys = Keys::of(&booked, &json!({"uid": "a", "conversationUid": "c", "locationUid": "l"}));
        assert_eq!(keys.location_uid.as_deref(), Some("l"));
        assert_eq!(keys.ordering_key(&booked).as_deref(), Some("conversation:c"));
    }
}
