//! Headers, timestamps and signatures that are not as they should be.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::Code::*;
use super::*;

fn good() -> String {
    signature(SECRET, TIMESTAMP, BODY.as_bytes())
}

#[test]
fn headers_that_are_missing_or_named_otherwise_are_all_told() {
    let good = good();
    let both =
        |signature: &str, timestamp: &str| vec![header(timestamp, TIMESTAMP), header(signature, &good)];
    for (headers, expected) in [
        (vec![], &[SignatureMissing, TimestampMissing][..]),
        (vec![header("content-type", "application/json")], &[SignatureMissing, TimestampMissing]),
        (vec![header(TIMESTAMP_HEADER, TIMESTAMP)], &[SignatureMissing]),
        (vec![header(SIGNATURE_HEADER, &good)], &[TimestampMissing]),
        (both("x-podium-signature", "x-podium-timestamp"), &[SignatureRenamed, TimestampRenamed]),
        (both("podium_signature", "podium_timestamp"), &[SignatureRenamed, TimestampRenamed]),
        (both("http_podium_signature", TIMESTAMP_HEADER), &[SignatureRenamed]),
        (both("signature", TIMESTAMP_HEADER), &[SignatureRenamed]),
        (both("podium-signatrue", "podium-timestmap"), &[SignatureRenamed, TimestampRenamed]),
        (both("webhook-signature", "webhook-timestamp"), &[SignatureRenamed, TimestampRenamed]),
        (both("x-hub-signature-256", TIMESTAMP_HEADER), &[SignatureRenamed]),
        (both("signature-input", TIMESTAMP_HEADER), &[SignatureMissing]),
        (both(TIMESTAMP_HEADER, SIGNATURE_HEADER), &[HeadersSwapped]),
    ] {
        assert_eq!(codes(&headers, BODY.as_bytes()), expected, "{headers:?}");
    }
}

#[test]
fn a_header_that_was_renamed_is_named() {
    let diagnosis = diagnosed(&[header("x-podium-signature", &good())], BODY.as_bytes());
    let messages: Vec<&str> = diagnosis.findings().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "There is no podium-signature header; there is x-podium-signature instead.",
            "There is no podium-timestamp header."
        ]
    );
    assert_eq!(diagnosis.answer, Answer::SignatureMissing);
}

#[test]
fn another_vendors_form_is_taken_apart() {
    let seconds = "1620771659";
    let digest = signature(SECRET, seconds, BODY.as_bytes());
    let value = format!("t={seconds},v1={digest}");
    for name in [SIGNATURE_HEADER, "x-podium-signature", "stripe-signature"] {
        assert_eq!(
            codes(&[header(name, &value)], BODY.as_bytes()),
            [AnotherVendorsForm, TimestampInSeconds],
            "and the secret is right, which is said by silence"
        );
    }
}

#[test]
fn of_several_signatures_the_first_counts() {
    let wrong = signature("a stranger's", TIMESTAMP, BODY.as_bytes());
    let repeated = |values: [&str; 2]| {
        let signatures = values.map(|value| header(SIGNATURE_HEADER, value));
        [vec![header(TIMESTAMP_HEADER, TIMESTAMP)], signatures.into()].concat()
    };
    assert_eq!(codes(&repeated([&good(), &wrong]), BODY.as_bytes()), []);
    assert_eq!(codes(&repeated([&wrong, &good()]), BODY.as_bytes()), [HeaderRepeated]);
    assert_eq!(
        codes(&signed(TIMESTAMP, &format!("{}, {wrong}", good())), BODY.as_bytes()),
        [SignatureRepeated]
    );
}

#[test]
fn a_timestamp_that_is_no_milliseconds_is_read_all_the_same() {
    for (text, expected) in [
        ("", TimestampEmpty),
        ("1620771659", TimestampInSeconds),
        ("1620771659.663", TimestampInSeconds),
        ("1620771659663000", TimestampInMicroseconds),
        ("1620771659663000000", TimestampInNanoseconds),
        ("1620771659663.0", TimestampHasDecimals),
        ("1.620771659663E12", TimestampHasDecimals),
        ("2021-05-11T22:20:59.663Z", TimestampIsADate),
        ("2021-05-11T15:20:59-07:00", TimestampIsADate),
        ("Tue, 11 May 2021 22:20:59 GMT", TimestampIsADate),
        (" 1620771659663", TimestampNotBare),
        ("1620771659663 ", TimestampNotBare),
        ("\"1620771659663\"", TimestampNotBare),
        ("-1620771659663", TimestampMalformed),
        ("yesterday", TimestampMalformed),
        ("99999999999999999999", TimestampMalformed),
    ] {
        // Signed over the header as it is sent: the header alone is wrong.
        let digest = signature(SECRET, text, BODY.as_bytes());
        assert_eq!(codes(&signed(text, &digest), BODY.as_bytes()), [expected], "{text:?}");
    }
}

#[test]
fn a_timestamp_that_was_signed_in_another_unit_than_it_was_sent_is_found() {
    let over = |signed_over: &str, sent: &str| {
        codes(&signed(sent, &signature(SECRET, signed_over, BODY.as_bytes())), BODY.as_bytes())
    };
    assert_eq!(over("1620771659", TIMESTAMP), [SignedOverSeconds]);
    assert_eq!(over("1620771659000", "1620771659"), [TimestampInSeconds, SignedOverMilliseconds]);
    assert_eq!(over(TIMESTAMP, "2021-05-11T22:20:59.663Z"), [TimestampIsADate, SignedOverMilliseconds]);
    assert_eq!(over(TIMESTAMP, " 1620771659663"), [TimestampNotBare], "it is right without the space");
}

#[test]
fn seconds_that_a_very_wide_window_takes_for_milliseconds_are_accepted_as_at_the_door() {
    let secrets = candidates();
    let max_age = Duration::from_secs(60 * 366 * 86_400);
    let rules = Rules { window: Window { max_age, ..WINDOW }, ..rules(&secrets) };
    let headers = signed("1620771659", &signature(SECRET, "1620771659", BODY.as_bytes()));
    let request = Examined { headers: &headers, body: BODY.as_bytes(), received_at: received_at() };
    let diagnosis = examine(&request, &rules);
    assert!(diagnosis.accepted() && diagnosis.findings().next().is_none(), "{diagnosis:?}");
}

#[test]
fn a_signature_that_is_written_otherwise_is_read_all_the_same() {
    let good = good();
    let digest = hex::decode(&good).unwrap();
    let zeros = |count: usize| "0a".repeat(count);
    for (text, expected) in [
        (String::new(), &[SignatureEmpty][..]),
        ("  ".to_owned(), &[SignatureEmpty]),
        (format!(" {good}"), &[SignatureNotBare]),
        (format!("'{good}'"), &[SignatureNotBare]),
        (format!("sha256={good}"), &[SignatureHasPrefix]),
        (format!("SHA256={good}"), &[SignatureHasPrefix]),
        (format!("v1={good}"), &[SignatureHasPrefix]),
        (format!("0x{good}"), &[SignatureHasPrefix]),
        (format!("\"sha256={good}\""), &[SignatureNotBare, SignatureHasPrefix]),
        (BASE64_STANDARD.encode(&digest), &[SignatureInBase64]),
        (BASE64_URL_SAFE_NO_PAD.encode(&digest), &[SignatureInBase64]),
        (BASE64_STANDARD.encode(&good), &[SignatureInBase64]),
        (format!("v1,{}", BASE64_STANDARD.encode(&digest)), &[SignatureHasPrefix, SignatureInBase64]),
        (zeros(20), &[SignatureIsSha1]),
        (zeros(48), &[SignatureIsSha384]),
        (zeros(64), &[SignatureIsSha512]),
        (format!("sha1={}", zeros(20)), &[SignatureHasPrefix, SignatureIsSha1]),
        (BASE64_STANDARD.encode([7; 64]), &[SignatureIsSha512]),
        (good[..63].to_owned(), &[SignatureWrongLength]),
        (format!("{good}00"), &[SignatureWrongLength]),
        ("?".repeat(64), &[SignatureMalformed]),
        (good.replacen(|c: char| c.is_ascii_digit(), "ö", 1), &[SignatureMalformed]),
    ] {
        assert_eq!(codes(&signed(TIMESTAMP, &text), BODY.as_bytes()), expected, "{text:?}");
    }
}
