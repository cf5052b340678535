//! What is found in texts, and what is not.

use proptest::prelude::*;

use super::*;

const UID: &str = "0d5cbd52-5f2a-4a3f-9a7e-3c1f2f7f9f0e";

fn traces(uids: &[&str], emails: &[&str], phones: &[&str]) -> Result<Traces, NoTrace> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Traces::of(&texts(uids), &texts(emails), &texts(phones))
}

fn ann() -> Traces {
    traces(&[UID, "ann"], &["Ann@Example.com"], &["+1 (801) 555-0123"]).unwrap()
}

#[test]
fn a_person_is_found_however_the_number_and_the_address_are_written() {
    for text in [
        UID,
        "see 0d5cbd52-5f2a-4a3f-9a7e-3c1f2f7f9f0e, please",
        "ann@example.com",
        "Mail ANN@example.COM.",
        "<ann@example.com>",
        "+18015550123",
        "8015550123",
        "call (801) 555-0123 5 times",
        "801.555.0123",
        "+1 801 555 0123",
        "5 or 801-555-0123",
    ] {
        assert!(ann().are_in_text(text), "{text}");
        assert!(ann().are_in(format!(r#"{{"data":[{{"x":{}}}]}}"#, Value::from(text)).as_bytes()), "{text}");
    }
    assert!(ann().are_in(br#"{"phone":18015550123}"#));
    assert!(ann().are_in(br#"{"email":"ann\u0040example.com"}"#));
    assert!(ann().are_in(br#"{"contactUid":"ann"}"#), "a short uid is one where it stands alone");
    assert!(ann().are_in(format!("no JSON: {UID}").as_bytes()));
}

#[test]
fn somebody_else_is_not() {
    for text in [
        "0d5cbd52-5f2a-4a3f-9a7e-3c1f2f7f9f0e0",
        "tell ann",
        "joann@example.com",
        "ann@example.com.au",
        "ann@example.community",
        "+18015550124",
        "180155501234",
        "9918015550123",
        "+44 801 555 0123",
        "+448015550123",
        "5550123",
        "",
    ] {
        assert!(!ann().are_in_text(text), "{text}");
    }
    assert!(!ann().are_in(br#"{"at":1801555012,"n":3}"#));
}

#[test]
fn a_number_is_written_otherwise_at_home() {
    let of = |phone: &str| traces(&[], &[], &[phone]).unwrap();
    let german = of("+49 171 1234567");
    assert!(german.are_in_text("0171 1234567") && german.are_in_text("+49(171)1234567"));
    assert!(!german.are_in_text("0711234567"), "the country has two digits");
    let irish = of("+353871234567");
    assert!(irish.are_in_text("087 123 4567") && !irish.are_in_text("03871234567"));
    let without_country = of("801-555-0123");
    assert!(without_country.are_in_text("+18015550123") && without_country.are_in_text("801 555 0123"));
    assert!(!without_country.are_in_text("+28015550123"));
}

#[test]
fn what_would_be_found_everywhere_is_not_looked_for() {
    assert_eq!(traces(&[" "], &[], &[]), Err(NoTrace::Uid));
    assert_eq!(traces(&[], &["ann"], &[]), Err(NoTrace::Email("ann".to_owned())));
    assert_eq!(traces(&[], &["@example.com"], &[]), Err(NoTrace::Email("@example.com".to_owned())));
    for phone in ["555-0123", "call me", "+1234567", ""] {
        assert_eq!(traces(&[], &[], &[phone]), Err(NoTrace::Phone(phone.to_owned())));
    }
    assert!(!traces(&["1"], &[], &[]).unwrap().are_in(br#"{"body":"1 or 2","n":1}"#));
}

#[test]
fn an_address_is_known_however_it_is_written_and_is_one_only_once() {
    let mut ann = ann();
    assert_eq!(ann.known_as("(801) 555-0123"), Some("18015550123"));
    assert_eq!(ann.known_as(" ANN@example.com"), Some("ann@example.com"));
    assert_eq!([ann.known_as("joann@example.com"), ann.known_as(UID), ann.known_as("")], [None; 3]);
    for address in ["801.555.0123", "Ann@example.com", "+44 20 7946 0958", "@ann_on_instagram"] {
        ann.add_address(address);
    }
    assert_eq!(ann.phones().collect::<Vec<_>>(), ["18015550123", "442079460958"]);
    assert_eq!(ann.emails().collect::<Vec<_>>(), ["ann@example.com"]);
    ann.remove_address("442079460958");
    assert_eq!((ann.known_as("+442079460958"), ann.phones().count()), (None, 1));
}

proptest! {
    #[test]
    fn any_text_is_looked_through(text: String, bytes: Vec<u8>) {
        let quoted = Value::from(text.clone()).to_string();
        prop_assert_eq!(ann().are_in(quoted.as_bytes()), ann().are_in_text(&text) || text == "ann");
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
