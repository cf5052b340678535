//! Where a message goes: a text in which the event's type may have a place.

use super::Message;

/// What stands for the event's type.
const EVENT_TYPE: &str = "{event_type}";

/// The subject, stream or key of each message.
pub(in crate::handlers) struct Address(String);

impl Address {
    /// Takes the text of a setting.
    ///
    /// # Errors
    /// When it is empty, or has braces around anything else than `event_type`.
    pub(in crate::handlers) fn new(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must not be empty".to_owned());
        }
        if text.replace(EVENT_TYPE, "").contains(['{', '}']) {
            return Err(format!("only {EVENT_TYPE} can stand in braces"));
        }
        Ok(Self(text))
    }

    /// The address of a message.
    pub(in crate::handlers) fn of(&self, message: &Message) -> String {
        self.with(&message.event_type)
    }

    /// The address for an event type.
    pub(in crate::handlers) fn with(&self, event_type: &str) -> String {
        self.0.replace(EVENT_TYPE, &tame(event_type))
    }
}

/// The list of types is open, and no type may be one that a broker can't take or gives a meaning of its own: words of
/// ASCII letters, digits, `-` and `_` between full stops stay as they are, everything else becomes `_`.
fn tame(event_type: &str) -> String {
    let tame = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let words = event_type.split('.').map(|word| match word {
        "" => "_".to_owned(),
        word => word.chars().map(tame).collect(),
    });
    words.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_event_type_has_its_place() {
        let address = Address::new("podium.{event_type}.in".to_owned()).ok().unwrap();
        assert_eq!(address.with("message.received"), "podium.message.received.in");
        assert_eq!(Address::new("podium".to_owned()).ok().unwrap().with("message.received"), "podium");
    }

    #[test]
    fn a_type_that_no_broker_could_take_is_tamed() {
        for (event_type, tamed) in [
            ("", "_"),
            (".", "_._"),
            ("a..b", "a._.b"),
            ("*.>", "_._"),
            ("two words\r\n", "two_words__"),
            ("größer", "gr__er"),
            ("review.invite-link_created", "review.invite-link_created"),
        ] {
            assert_eq!(tame(event_type), tamed, "{event_type:?}");
        }
    }

    #[test]
    fn another_placeholder_is_refused() {
        for text in ["", "podium.{type}", "podium.{event_type", "{{event_type}}"] {
            assert!(Address::new(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_type_has_words_of_plain_characters(event_type in any::<String>()) {
            for word in tame(&event_type).split('.') {
                prop_assert!(!word.is_empty());
                prop_assert!(word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
            }
        }
    }
}
