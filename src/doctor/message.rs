//! What may have been signed: timestamp and body, put together in one way or another.

use super::timestamp::{Spelling, Unit};
use super::{Code, Finding};
use crate::model::Header;

/// What may have been signed: a body with something before it and something after it.
pub(super) struct Message {
    shape: Shape,
    unit: Unit,
    pub(super) before: String,
    pub(super) after: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Documented,
    BodyAlone,
    Separator(&'static str),
    Swapped,
    Vendor(&'static str),
}

/// Separators, and how to call them in a sentence.
const SEPARATORS: [(&str, &str); 9] = [
    ("", "nothing"),
    (":", "a colon"),
    (",", "a comma"),
    ("\n", "a line feed"),
    ("\r\n", "a line end"),
    (" ", "a space"),
    ("-", "a hyphen"),
    ("|", "a vertical bar"),
    ("_", "an underscore"),
];

/// What Podium signs, by what stands in the header.
pub(super) fn documented(spellings: &[Spelling]) -> Vec<Message> {
    // What a header would hold if it were right is what is signed then.
    let as_sent = spellings.iter().filter(|spelling| matches!(spelling.unit, Unit::AsSent | Unit::Bare));
    as_sent
        .map(|spelling| Message::before_body(Shape::Documented, spelling, format!("{}.", spelling.text)))
        .collect()
}

/// Everything else that may have been signed, the likely first.
pub(super) fn others(spellings: &[Spelling], headers: &[Header]) -> Vec<Message> {
    let mut messages = vec![Message {
        shape: Shape::BodyAlone,
        unit: Unit::AsSent,
        before: String::new(),
        after: String::new(),
    }];
    let id =
        ["webhook-id", "svix-id"].iter().find_map(|name| headers.iter().find(|header| header.name == *name));
    for spelling in spellings {
        let at = &spelling.text;
        let mut add = |shape, before: String| messages.push(Message::before_body(shape, spelling, before));
        if matches!(spelling.unit, Unit::Seconds | Unit::Milliseconds) {
            add(Shape::Documented, format!("{at}."));
        }
        for (separator, name) in SEPARATORS {
            add(Shape::Separator(name), format!("{at}{separator}"));
        }
        add(Shape::Vendor("`v0:timestamp:body`, as Slack does"), format!("v0:{at}:"));
        if let Some(id) = id {
            let shape = Shape::Vendor("`id.timestamp.body`, as Standard Webhooks do");
            add(shape, format!("{}.{at}.", id.value));
        }
        for separator in [".", "", ":", "\n"] {
            let after = format!("{separator}{at}");
            messages.push(Message {
                shape: Shape::Swapped,
                unit: spelling.unit,
                before: String::new(),
                after,
            });
        }
    }
    messages
}

impl Message {
    const fn before_body(shape: Shape, spelling: &Spelling, before: String) -> Self {
        Self { shape, unit: spelling.unit, before, after: String::new() }
    }

    /// What is not as documented.
    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        const RULE: &str = "Sign the podium-timestamp header exactly as it is sent, a full stop, and the body. Podium does, \
                            so this is a sender of your own or somebody else's.";
        let shape = match self.shape {
            Shape::Documented => None,
            Shape::BodyAlone => Some((
                Code::TimestampNotSigned,
                "The body alone was signed, without the timestamp.".to_owned(),
            )),
            Shape::Separator(name) => Some((
                Code::SeparatorWrong,
                format!("Timestamp and body were signed with {name} between them, not with a full stop."),
            )),
            Shape::Swapped => Some((
                Code::OrderSwapped,
                "The body was signed before the timestamp, not after it.".to_owned(),
            )),
            Shape::Vendor(form) => Some((Code::SignedAsAnotherVendor, format!("What was signed is {form}."))),
        };
        let unit = match self.unit {
            Unit::AsSent | Unit::Bare => None,
            Unit::Seconds => Some((Code::SignedOverSeconds, "the timestamp in seconds")),
            Unit::Milliseconds => Some((Code::SignedOverMilliseconds, "the timestamp in milliseconds")),
        };
        let unit = unit.map(|(code, what)| {
            (code, format!("The signature was made over {what}, which is not what stands in the header."))
        });
        shape.into_iter().chain(unit).map(|(code, message)| Finding::new(code, message, RULE))
    }
}
