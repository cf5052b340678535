//! What tells that something is about a person.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::podium::Contact;

/// A number of fewer digits is in too many texts that are about something else.
const LEAST_DIGITS: usize = 7;

/// The uids, e-mail addresses and telephone numbers of one person, as they are looked for in whatever is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    uids: BTreeSet<String>,
    /// In lower case.
    emails: BTreeSet<String>,
    /// Digits alone, with the country's.
    phones: BTreeSet<String>,
}

/// What was given is nothing to look for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTrace {
    /// It is empty, or too long.
    #[error("a contact's uid is what Podium calls it, such as 0d5cbd52-5f2a-4a3f-9a7e-3c1f2f7f9f0e")]
    Uid,
    /// It has no `@`.
    #[error("{0:?} is no e-mail address")]
    Email(String),
    /// It has too few digits.
    #[error("{0:?} is no telephone number: write it with the country's, such as +18015550123")]
    Phone(String),
}

impl Traces {
    /// What is given of a person.
    ///
    /// # Errors
    /// When one of them is nothing to look for.
    pub fn of(uids: &[String], emails: &[String], phones: &[String]) -> Result<Self, NoTrace> {
        let mut traces = Self::default();
        for uid in uids {
            let uid = uid.trim();
            if uid.is_empty() || uid.len() > 255 {
                return Err(NoTrace::Uid);
            }
            traces.add_uid(uid.to_owned());
        }
        for email in emails {
            if !traces.add_email(email) {
                return Err(NoTrace::Email(email.clone()));
            }
        }
        for phone in phones {
            if !traces.add_phone(phone) {
                return Err(NoTrace::Phone(phone.clone()));
            }
        }
        Ok(traces)
    }

    /// The uids: of contacts, and of conversations once they are known.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.uids.iter().map(String::as_str)
    }

    /// The e-mail addresses.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.emails.iter().map(String::as_str)
    }

    /// The telephone numbers, digits alone.
    pub fn phones(&self) -> impl Iterator<Item = &str> {
        self.phones.iter().map(String::as_str)
    }

    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    pub(super) fn add_uid(&mut self, uid: String) {
        self.uids.insert(uid);
    }

    pub(super) fn add_addresses_of(&mut self, contact: &Contact) {
        let channels = contact.channels.iter().filter_map(|channel| channel.identifier.as_ref());
        for address in channels.chain(&contact.emails).chain(&contact.phone_numbers) {
            let _ = self.add_email(address) || self.add_phone(address);
        }
    }

    fn add_email(&mut self, text: &str) -> bool {
        let email = text.trim().to_lowercase();
        let is_one = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if is_one {
            self.emails.insert(email);
        }
        is_one
    }

    fn add_phone(&mut self, text: &str) -> bool {
        let is_plain = text.chars().all(|c| c.is_ascii_digit() || is_between_digits(c));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_one = is_plain && (LEAST_DIGITS..=15).contains(&digits.len());
        if is_one {
            self.phones.insert(digits);
        }
        is_one
    }

    /// Whether any of them is in a text, which is JSON or anything else.
    #[must_use]
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => self.are_in_value(&value),
            Err(_) => self.are_in_text(&String::from_utf8_lossy(bytes)),
        }
    }

    fn are_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.are_in_text(text),
            Value::Number(number) => self.are_in_text(&number.to_string()),
            Value::Array(values) => values.iter().any(|value| self.are_in_value(value)),
            Value::Object(members) => {
                members.iter().any(|(name, value)| self.are_in_text(name) || self.are_in_value(value))
            }
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn are_in_text(&self, text: &str) -> bool {
        self.uids.iter().any(|uid| is_in(uid, text, is_of_a_uid, is_of_a_uid))
            || text.contains('@') && {
                let text = text.to_lowercase();
                self.emails.iter().any(|email| is_in(email, &text, is_of_an_address, is_of_an_address))
            }
            || self.phones.iter().any(|phone| {
                forms(phone)
                    .any(|digits| digits.len() >= LEAST_DIGITS && are_digits_in(digits.as_bytes(), text))
            })
    }
}

/// Whether `what` stands in a text by itself: what comes before it and behind it is no part of the same thing.
fn is_in(what: &str, text: &str, is_before: fn(char) -> bool, is_behind: fn(char) -> bool) -> bool {
    text.match_indices(what).any(|(at, _)| {
        let mut behind = text[at + what.len()..].chars();
        let is_longer = match behind.next() {
            // A full stop that ends the sentence is no part of it.
            Some('.') => behind.next().is_some_and(is_behind),
            Some(next) => is_behind(next),
            None => false,
        };
        !is_longer && !text[..at].chars().next_back().is_some_and(is_before)
    })
}

fn is_of_a_uid(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

fn is_of_an_address(c: char) -> bool {
    c.is_alphanumeric() || "._%+-".contains(c)
}

/// A number as people write it: with the country's digits, without them, with a zero instead.
fn forms(phone: &str) -> impl Iterator<Item = String> {
    let without = (1..=3).filter_map(|length| phone.get(length..));
    let in_north_america = match (phone.strip_prefix('1'), phone.len()) {
        (Some(rest), 11) => Some(rest.to_owned()),
        (_, 10) => Some(format!("1{phone}")),
        _ => None,
    };
    std::iter::once(phone.to_owned()).chain(in_north_america).chain(without.map(|rest| format!("0{rest}")))
}

fn is_between_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '+' | '\u{a0}' | '\u{2011}')
}

/// Whether these digits stand in a text one after another, with no more than a few signs between two of them and no digit
/// before or behind.
fn are_digits_in(digits: &[u8], text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| characters.get(at).is_some_and(char::is_ascii_digit);
    (0..characters.len()).any(|start| {
        if !is_digit(start) || start > 0 && is_digit(start - 1) {
            return false;
        }
        let mut at = start;
        for (nth, digit) in digits.iter().enumerate() {
            let mut between = 0;
            while nth > 0 && between < 3 && characters.get(at).is_some_and(|c| is_between_digits(*c)) {
                (at, between) = (at + 1, between + 1);
            }
            if characters.get(at) != Some(&char::from(*digit)) {
                return false;
            }
            at += 1;
        }
        !is_digit(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ann() -> Traces {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Traces::of(&texts(&["c-1"]), &texts(&["Ann@Example.com"]), &texts(&["+1 (801) 555-0123"])).unwrap()
    }

    #[test]
    fn a_person_is_found_however_the_number_and_the_address_are_written() {
        for text in [
            "c-1",
            "see c-1, please",
            "ann@example.com",
            "Mail ANN@example.COM.",
            "<ann@example.com>",
            "+18015550123",
            "8015550123",
            "call (801) 555-0123 5 times",
            "801.555.0123",
            "08015550123",
        ] {
            assert!(ann().are_in_text(text), "{text}");
            assert!(
                ann().are_in(format!(r#"{{"data":[{{"x":{}}}]}}"#, Value::from(text)).as_bytes()),
                "{text}"
            );
        }
        assert!(ann().are_in(br#"{"phone":18015550123}"#));
        assert!(ann().are_in(br#"{"email":"ann\u0040example.com"}"#));
        assert!(ann().are_in(b"no JSON: c-1"));
    }

    #[test]
    fn somebody_else_is_not() {
        for text in [
            "c-10",
            "xc-1",
            "joann@example.com",
            "ann@example.com.au",
            "ann@example.community",
            "+18015550124",
            "180155501234",
            "9918015550123",
            "5550123",
            "",
        ] {
            assert!(!ann().are_in_text(text), "{text}");
        }
        assert!(!ann().are_in(br#"{"at":1801555012,"n":3}"#));
    }

    #[test]
    fn a_number_without_its_country_is_found_with_it() {
        let traces = Traces::of(&[], &[], &["801-555-0123".to_owned()]).unwrap();
        assert!(traces.are_in_text("+18015550123") && traces.are_in_text("801 555 0123"));
        assert!(!traces.are_in_text("+28015550123"));
    }

    #[test]
    fn what_would_be_found_everywhere_is_not_looked_for() {
        let of = |uid: &str, email: &str, phone: &str| {
            let list = |text: &str| (text != "-").then(|| text.to_owned()).into_iter().collect::<Vec<_>>();
            Traces::of(&list(uid), &list(email), &list(phone)).err()
        };
        assert_eq!(of(" ", "-", "-"), Some(NoTrace::Uid));
        assert_eq!(of("-", "ann", "-"), Some(NoTrace::Email("ann".to_owned())));
        assert_eq!(of("-", "@example.com", "-"), Some(NoTrace::Email("@example.com".to_owned())));
        assert_eq!(of("-", "-", "555-012"), Some(NoTrace::Phone("555-012".to_owned())));
        assert_eq!(of("-", "-", "call me"), Some(NoTrace::Phone("call me".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text: String, bytes: Vec<u8>) {
            let quoted = Value::from(text.clone()).to_string();
            prop_assert_eq!(ann().are_in(quoted.as_bytes()), ann().are_in_text(&text));
            let _ = ann().are_in(&bytes);
        }

        #[test]
        fn a_number_is_found_between_any_signs(signs in proptest::collection::vec(" |-|\\(|\\)|\\.|", 10)) {
            let mut text = String::new();
            for (digit, sign) in "18015550123".chars().zip(std::iter::once(String::new()).chain(signs)) {
                text.push_str(&sign);
                text.push(digit);
            }
            prop_assert!(ann().are_in_text(&text), "{}", text);
        }
    }
}
