//! A resource: one thing that events tell of, such as a message or a contact, as the mirror has it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::EventId;

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A message, in whatever channel.
    Message,
    /// A conversation, as its messages tell of it.
    Conversation,
    /// A person whom the business knows.
    Contact,
    /// A request for payment.
    Invoice,
    /// A review.
    Review,
    /// An invitation to write a review.
    ReviewInvite,
    /// The business's answer to a review.
    ReviewResponse,
    /// A telephone call.
    Call,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Message,
        Self::Conversation,
        Self::Contact,
        Self::Invoice,
        Self::Review,
        Self::ReviewInvite,
        Self::ReviewResponse,
        Self::Call,
    ];

    /// The kind's name, as both databases spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Conversation => "conversation",
            Self::Contact => "contact",
            Self::Invoice => "invoice",
            Self::Review => "review",
            Self::ReviewInvite => "review_invite",
            Self::ReviewResponse => "review_response",
            Self::Call => "call",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no kind of resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of resource")]
pub struct UnknownKind;

impl FromStr for ResourceKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// What tells the newer of two states of one resource, however late each of them arrives: when it came to be so; of one moment,
/// how far it is along; of one step, which event was received last. As bytes it sorts in that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; Version::LENGTH]);

impl Version {
    /// How many bytes it has.
    pub const LENGTH: usize = 25;

    /// The version of the state that an event tells of, of which it may not say when it came to be. `step` orders states that came
    /// to be at one moment.
    #[must_use]
    pub fn new(at: Option<Timestamp>, step: u8, event: EventId) -> Self {
        let mut bytes = [0; Self::LENGTH];
        // Nothing of Podium's is older than 1970: what claims to be is the oldest there is. So is what says nothing: the moment
        // of its arrival is another clock's, and later than whatever follows.
        let microseconds = at.and_then(|at| u64::try_from(at.as_microsecond()).ok()).unwrap_or(0);
        bytes[..8].copy_from_slice(&microseconds.to_be_bytes());
        bytes[8] = step;
        bytes[9..].copy_from_slice(event.as_uuid().as_bytes());
        Self(bytes)
    }

    /// The version as a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// What a resource can be asked for by. A text is as long and as plain as one in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceKeys {
    /// The conversation that it belongs to.
    pub conversation_uid: Option<String>,
    /// The contact.
    pub contact_uid: Option<String>,
    /// The location.
    pub location_uid: Option<String>,
    /// The organization.
    pub organization_uid: Option<String>,
    /// Podium's user: who looks after a conversation, sent a message, took a call.
    pub user_uid: Option<String>,
    /// The kind of channel, such as `phone`.
    pub channel_type: Option<String>,
    /// The customer's address in it.
    pub channel_identifier: Option<String>,
    /// Who began: `inbound` is from the customer.
    pub direction: Option<String>,
    /// How far it got.
    pub status: Option<String>,
    /// The resource of the same kind that it was merged into.
    pub merged_into: Option<String>,
    /// Whether it waits for an answer of the business. Of conversations the store works it out.
    pub is_awaiting: Option<bool>,
}

/// A state of a resource, as one event tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceState {
    /// What it is.
    pub kind: ResourceKind,
    /// Podium's name for it.
    pub uid: String,
    /// What tells the newer of two states.
    pub version: Version,
    /// The event that tells of it.
    pub event_id: EventId,
    /// What lists are ordered by: when it came to be. Of conversations the store works it out: the last message.
    pub at: Timestamp,
    /// What it can be asked for by.
    pub keys: ResourceKeys,
    /// The name of the person whom it is about.
    pub name: Option<String>,
    /// The words by which it is found.
    pub words: Words,
    /// All of it, as JSON in Podium's own names.
    pub data: String,
}

/// A resource as the mirror has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Podium's name for it.
    pub uid: String,
    /// What lists are ordered by.
    pub at: Timestamp,
    /// What it can be asked for by.
    pub keys: ResourceKeys,
    /// The name of the person whom it is about.
    pub name: Option<String>,
    /// All of it, as JSON in Podium's own names.
    pub data: String,
    /// Of a conversation, what its messages come to.
    pub talk: Option<Talk>,
}

impl Resource {
    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { at: self.at, uid: self.uid.clone() }
    }
}

/// What the messages of a conversation come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// When the first message was made, of those that were received here.
    pub first_at: Timestamp,
    /// How many messages are from the customer.
    pub inbound: u64,
    /// How many are to the customer, failed ones included.
    pub outbound: u64,
    /// The newest message.
    pub last_message_uid: String,
}

/// A place in a list of resources, newest first: items below it have an earlier moment or, of one moment, a lower uid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The item's moment.
    pub at: Timestamp,
    /// The item's uid.
    pub uid: String,
}

/// Which resources a list shows: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// It has these keys, of those that are set.
    pub keys: ResourceKeys,
    /// It belongs to one of these contacts: one person under several uids. Empty for any; then `keys` has none either.
    pub contact_uids: Vec<String>,
    /// Its moment is this or later.
    pub from: Option<Timestamp>,
    /// Its moment is before this.
    pub before: Option<Timestamp>,
    /// It has all of these words; empty for any.
    pub words: Words,
}

/// The different words of a text, for search: in lower case, of letters and digits only. So one database finds what the other
/// finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// How many words of a text are found, and how many bytes of each. A message has a few dozen.
    const MOST: usize = 2000;
    const LONGEST: usize = 100;

    /// How many values of one name a resource is found by. A contact has a handful of addresses.
    const MARKS: usize = 200;

    /// The words of texts. What follows a word's hundredth byte is no part of it.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = BTreeSet::new();
        for text in texts {
            for word in text.split(|character: char| !character.is_alphanumeric()) {
                if words.len() == Self::MOST {
                    break;
                }
                // Lower case may bring a mark that is no letter, as with İ.
                let mut lower: String =
                    word.to_lowercase().chars().filter(|character| character.is_alphanumeric()).collect();
                lower.truncate(lower.floor_char_boundary(Self::LONGEST));
                if !lower.is_empty() {
                    words.insert(lower);
                }
            }
        }
        Self(words.into_iter().collect())
    }

    /// The same, with values by which it is found as well, each under a name. A mark is a word that no text has: so a resource
    /// that belongs to several of something is found by each of them.
    #[must_use]
    pub fn marked<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words: BTreeSet<String> = self.0.into_iter().collect();
        for value in values.into_iter().take(Self::MARKS) {
            // In hexadecimal it is of letters and digits, too, and longer than any word.
            let mark = format!("{name}{:0>width$}", hex::encode(value), width = Self::LONGEST + 1);
            // What is longer than any identifier is none.
            if mark.len() <= 2000 {
                words.insert(mark);
            }
        }
        Self(words.into_iter().collect())
    }

    /// Each word, once.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        Words::of([text]).0
    }

    #[test]
    fn words_are_letters_and_digits_in_lower_case_and_each_once() {
        assert_eq!(words("Is it SB-2026? Is it?"), ["2026", "is", "it", "sb"]);
        assert_eq!(words("marisol@example.com, Müller; ÉTÉ"), ["com", "example", "marisol", "müller", "été"]);
        assert_eq!(words("  …—! "), Vec::<String>::new());
        assert_eq!(words(&"a".repeat(1000)), ["a".repeat(100)]);
    }

    proptest! {
        #[test]
        fn any_text_has_words_that_both_databases_take(text: String) {
            for word in words(&text) {
                prop_assert!(word.chars().all(char::is_alphanumeric) && word.len() <= 100 && !word.is_empty());
                prop_assert_eq!(words(&word), [word.clone()], "a word is its own word");
            }
        }

        #[test]
        fn a_version_sorts_by_moment_step_and_event(
            at in 0_i64..4_000_000_000_000_000, later in 0_i64..1_000_000, steps in (0_u8..3, 0_u8..3), ids in (0_i64..9, 0_i64..9),
        ) {
            let moment = |microseconds| Timestamp::from_microsecond(microseconds).unwrap();
            let (first, second) = (EventId::floor(moment(ids.0)), EventId::floor(moment(ids.1)));
            let (one, other) = (Version::new(Some(moment(at)), steps.0, first), Version::new(Some(moment(at + later)), steps.1, second));
            prop_assert_eq!(one.cmp(&other), (at, steps.0, first).cmp(&(at + later, steps.1, second)));
            prop_assert_eq!(one.as_bytes().cmp(other.as_bytes()), one.cmp(&other));
        }
    }
}
