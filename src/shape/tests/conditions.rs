//! What a condition says of an event.

use super::*;

#[test]
fn a_condition_speaks_of_the_ledger_and_of_the_body() {
    for (condition, expected) in [
        ("event.type == 'message.failed' and event.source == 'north'", true),
        ("event.receivedAt == '2026-01-02T03:04:05Z'", true),
        ("data.conversation.channel.type in ['sms', 'phone']", true),
        ("data.conversation.channel.type == 'email'", false),
        ("metadata.version == '2021.04.01'", true),
        ("data.amount > 1000", true),
        ("'number' in data.failureReason | lower", true),
        ("data.items | selectattr('type', 'eq', 'image') | list | length == 1", true),
        ("data['failureReason'] is startingwith 'no'", true),
        ("'u-1' in body", true),
    ] {
        assert_eq!(is_met(condition, FAILED), Ok(expected), "{condition}");
    }
}

#[test]
fn what_is_null_or_missing_is_false_and_so_is_all_below_it() {
    for absent in ["data.contactName", "data.nothing", "data.contactName.first.letter", "event.contactUid"] {
        for (condition, expected) in [
            (absent.to_owned(), false),
            (format!("not {absent}"), true),
            (format!("{absent} is none"), true),
            (format!("{absent} is defined"), false),
            (format!("{absent} == 'x'"), false),
            (format!("'x' in {absent}"), false),
            (format!("{absent} | default('x') == 'x'"), true),
            (format!("{absent} | lower == ''"), true),
            (format!("{absent} | length == 0"), true),
        ] {
            assert_eq!(is_met(&condition, FAILED), Ok(expected), "{condition}");
        }
    }
}

#[test]
fn a_body_that_is_no_json_object_has_a_text_and_no_data() {
    for body in ["", "no JSON", "[1]", "\"data\"", "7", &"[".repeat(10_000)] {
        assert_eq!(is_met("data is defined or metadata is defined", body), Ok(false), "{body}");
        assert_eq!(is_met("event.type == 'message.failed'", body), Ok(true), "{body}");
    }
    assert_eq!(is_met("'no' in body", "no JSON"), Ok(true));
    // What the developer portal's "Send Test" posts.
    assert_eq!(is_met("data.body", crate::podium::samples::SEND_TEST), Ok(false));
    assert_eq!(is_met("'test' in data", crate::podium::samples::SEND_TEST), Ok(true));
}

#[test]
fn what_is_wrong_with_a_condition_is_said_before_the_first_event() {
    for (condition, mistake) in [
        ("data.body ==", "unexpected end of input, expected expression"),
        ("data.body = 'x'", "unexpected input after expression"),
        ("{{ data.body }}", "unexpected `}`, expected `:`"),
        ("", "unexpected end of input, expected expression"),
        ("dat.body", "there is no `dat` here, but `event`, `data`, `metadata`, `body`"),
        ("delivery.attempt == 1", "there is no `delivery` here, but `event`, `data`, `metadata`, `body`"),
        ("data.contactName == null", "there is no `null` here, but `event`, `data`, `metadata`, `body`"),
        ("data.contactName != none", "write `is none` or `is not none` instead of a comparison with `none`"),
        ("data.body | lowercase == 'x'", "filter lowercase is unknown"),
        ("data.body is vague", "test vague is unknown"),
        ("data.body | replace('x')", "missing argument"),
        ("now() > 5", "there is no `now` here, but `event`, `data`, `metadata`, `body`"),
    ] {
        assert_eq!(Condition::compile(condition).unwrap_err().to_string(), mistake, "{condition}");
    }
    let mistake = Condition::compile("event.source == 'x'\n  and event.eventType").unwrap_err().to_string();
    assert!(mistake.starts_with("line 2: `event` has no `eventType`, but `id`, `type`, "), "{mistake}");
}

#[test]
fn a_condition_that_cannot_be_decided_says_why_and_shows_nothing_of_the_event() {
    let mistake = is_met("data.conversation + 1 > 5", FAILED).unwrap_err();
    assert_eq!(mistake.to_string(), "tried to use + operator on unsupported types map and number");
    let long = format!(r#"{{"data":[{}1]}}"#, "1,".repeat(100_000));
    let mistake = is_met("data | sort | first == 1", &long).unwrap_err();
    assert_eq!(mistake.to_string(), "it takes too much work or memory");
}

#[test]
fn what_a_condition_shows_of_itself_is_its_text() {
    let condition = Condition::compile("data.body").unwrap();
    assert_eq!(format!("{condition:?}"), r#"Condition("data.body")"#);
}
