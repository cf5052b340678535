//! Patterns over event types, such as `message.*`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A pattern over event types: `*` stands for any run of characters, everything else for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TypePattern(String);

impl TypePattern {
    /// Whether the type fits the pattern, as a whole.
    #[must_use]
    pub fn matches(&self, event_type: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = event_type.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // The earliest place for each part in the middle leaves the most room for those after it.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an event type pattern has 1 to 255 characters, none of them a control character, such as `message.*`"
)]
pub struct InvalidPattern;

impl FromStr for TypePattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for TypePattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=255).contains(&text.chars().count()) && !text.contains(char::is_control);
        fits.then_some(Self(text)).ok_or(InvalidPattern)
    }
}

impl From<TypePattern> for String {
    fn from(pattern: TypePattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, event_type, fits) in [
            ("*", "message.received", true),
            ("message.*", "message.received", true),
            ("message.*", "review.created", false),
            ("*.created", "review.created", true),
            ("*.created", "review.created.twice", false),
            ("message.received", "message.received", true),
            ("message.received", "message.receive", false),
            ("message", "message.received", false),
            ("a*b*a", "aba", true),
            ("ab*ba", "aba", false),
            ("*a*a*", "a", false),
            ("[x]?", "[x]?", true),
        ] {
            let pattern: TypePattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(event_type), fits, "{pattern} against {event_type}");
        }
    }

    #[test]
    fn nothing_is_no_pattern() {
        assert_eq!("".parse::<TypePattern>(), Err(InvalidPattern));
        assert_eq!("a\0".parse::<TypePattern>(), Err(InvalidPattern));
    }
}
