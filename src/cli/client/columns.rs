//! What a table shows of each kind: the few fields that people look for, and last what shows one whole.

use serde_json::Value;

use super::kind::Kind;
use crate::cli::plain::{one_line, plain};
use crate::cli::table::{Table, moment};

/// How much of a text is shown.
const WIDEST: usize = 60;

/// A column: its heading, and where its value stands, as JSON pointers of which the first that has one counts.
type Column = (&'static str, &'static [&'static str]);

const EVENTS: [Column; 5] = [
    ("RECEIVED", &["/receivedAt"]),
    ("TYPE", &["/type"]),
    ("SOURCE", &["/source"]),
    ("CONVERSATION", &["/conversationUid"]),
    ("EVENT", &["/id"]),
];
const MESSAGES: [Column; 7] = [
    ("CREATED", &["/createdAt"]),
    ("DIRECTION", &["/direction"]),
    ("STATUS", &["/status"]),
    ("CONTACT", &["/contactName", "/contact/name"]),
    ("CHANNEL", &["/conversation/channel/identifier", "/conversation/channel/type"]),
    ("TEXT", &["/body", "/items/0/body"]),
    ("MESSAGE", &["/uid"]),
];
const CONVERSATIONS: [Column; 8] = [
    ("LAST ACTIVITY", &["/lastActivityAt"]),
    ("CONTACT", &["/contactName"]),
    ("CHANNEL", &["/channel/identifier", "/channel/type"]),
    ("IN", &["/inboundMessages"]),
    ("OUT", &["/outboundMessages"]),
    ("AWAITS REPLY", &["/awaitingReply"]),
    ("LAST MESSAGE", &["/lastMessage/body", "/lastMessage/items/0/body"]),
    ("CONVERSATION", &["/uid"]),
];
const CONTACTS: [Column; 6] = [
    ("CREATED", &["/createdAt"]),
    ("STATUS", &["/status"]),
    ("NAME", &["/name"]),
    ("PHONE", &["/phoneNumbers/0"]),
    ("EMAIL", &["/emails/0"]),
    ("CONTACT", &["/uid"]),
];
const INVOICES: [Column; 7] = [
    ("CREATED", &["/createdAt"]),
    ("NUMBER", &["/invoiceNumber"]),
    ("STATUS", &["/status"]),
    ("CENTS", &["/amount"]),
    ("CURRENCY", &["/currencyRef"]),
    ("CUSTOMER", &["/customerName"]),
    ("INVOICE", &["/uid"]),
];
const REVIEWS: [Column; 7] = [
    ("CREATED", &["/createdAt"]),
    ("RATING", &["/review/rating"]),
    ("SITE", &["/review/siteName"]),
    ("AUTHOR", &["/author/name"]),
    ("NEEDS RESPONSE", &["/needsResponse"]),
    ("TEXT", &["/review/body"]),
    ("REVIEW", &["/uid"]),
];
const CALLS: [Column; 6] = [
    ("STARTED", &["/startedAt"]),
    ("DIRECTION", &["/direction"]),
    ("STATUS", &["/status"]),
    ("CUSTOMER", &["/customerPhoneNumber"]),
    ("SECONDS", &["/durationSeconds"]),
    ("CALL", &["/uid"]),
];
const DELIVERIES: [Column; 7] = [
    ("OPENED", &["/openedAt"]),
    ("STATE", &["/state"]),
    ("HANDLER", &["/handler"]),
    ("TYPE", &["/eventType"]),
    ("ATTEMPTS", &["/attemptCount"]),
    ("EVENT", &["/eventId"]),
    ("DELIVERY", &["/id"]),
];
const QUARANTINE: [Column; 6] = [
    ("RECEIVED", &["/receivedAt"]),
    ("SOURCE", &["/source"]),
    ("REASON", &["/reason"]),
    ("HELD", &["/held"]),
    ("BYTES", &["/size"]),
    ("REQUEST", &["/id"]),
];

/// The table of what there is.
pub(super) fn table(kind: Kind, items: &[Value]) -> String {
    match kind {
        Kind::Events => of(&EVENTS, items),
        Kind::Messages => of(&MESSAGES, items),
        Kind::Conversations => of(&CONVERSATIONS, items),
        Kind::Contacts => of(&CONTACTS, items),
        Kind::Invoices => of(&INVOICES, items),
        Kind::Reviews => of(&REVIEWS, items),
        Kind::Calls => of(&CALLS, items),
        Kind::Deliveries => of(&DELIVERIES, items),
        Kind::Quarantine => of(&QUARANTINE, items),
    }
}

fn of<const COLUMNS: usize>(columns: &[Column; COLUMNS], items: &[Value]) -> String {
    let mut table = Table::new(columns.map(|(heading, _)| heading));
    for item in items {
        table.add(columns.map(|(_, places)| cell(item, places)));
    }
    table.to_string()
}

fn cell(item: &Value, places: &[&str]) -> String {
    let found = places.iter().filter_map(|place| item.pointer(place)).find(|value| !value.is_null());
    match found {
        None => "-".to_owned(),
        Some(Value::String(text)) => shown(places, text),
        Some(other) => one_line(&other.to_string(), WIDEST),
    }
}

fn shown(places: &[&str], text: &str) -> String {
    // Only where a moment belongs: a customer may write one, too.
    let at = if places.iter().all(|place| place.ends_with("At")) { text.parse().ok() } else { None };
    match at {
        Some(at) => moment(Some(at)),
        // What shows one whole is never cut.
        None if places.iter().all(|place| ["id", "Id", "Uid"].iter().any(|end| place.ends_with(end))) => {
            plain(text)
        }
        None => one_line(text, WIDEST),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_a_line_whatever_it_says() {
        let messages = [
            json!({
                "uid": "c5d2f6f0-61a5-4a5f-8f6e-0a4c3a8b7d21",
                "createdAt": "2026-11-22T09:00:00.25Z",
                "direction": "inbound",
                "status": "received",
                "contactName": "Mal\u{1b}[2Jlory",
                "conversation": { "channel": { "type": "phone", "identifier": "+18015550142" } },
                "body": "Is it\nstill\u{9b}31m for sale? I would come by on Saturday, or on Sunday, if that suits you",
            }),
            json!({ "uid": "m", "body": null, "items": [{ "body": "2026-11-22T09:00:00Z" }] }),
        ];
        insta::assert_snapshot!(table(Kind::Messages, &messages), @r"
        CREATED               DIRECTION  STATUS    CONTACT           CHANNEL       TEXT                                                          MESSAGE
        2026-11-22T09:00:00Z  inbound    received  Mal\u{1b}[2Jlory  +18015550142  Is it still\u{9b}31m for sale? I would come by on Saturday,…  c5d2f6f0-61a5-4a5f-8f6e-0a4c3a8b7d21
        -                     -          -         -                 -             2026-11-22T09:00:00Z                                          m
        ");
    }

    #[test]
    fn a_heading_is_above_nothing_where_there_is_nothing() {
        assert_eq!(table(Kind::Calls, &[]), "STARTED  DIRECTION  STATUS  CUSTOMER  SECONDS  CALL");
    }
}
