use proptest::prelude::*;

use super::*;

const SECRET: &str = "something-no-one-will-know";
const TIMESTAMP: &[u8] = b"1620771659663";
const EVENT: &[u8] =
    br#"{"data":{"bar":"apples","foo":"1"},"metadata":{"event_type":"test.event","version":"2021.04.01"}}"#;
const SEND_TEST: &[u8] = br#"{"data":"Data for the test webhook event :)"}"#;

#[test]
fn the_documented_formula_gives_the_known_signatures() {
    let vectors = [
        (SECRET, EVENT, "4d09f22dd01181ccf651c1236f4bec9e6226c472b39cb9dbdcf5dfa633dda982"),
        ("whsec_test", EVENT, "391c121ba27caf897a280051419c054766f24961f25bf7f3765df752496a62e4"),
        (SECRET, SEND_TEST, "98b2531bd882d0b9b54799f396a8ebe60d5ed1319441a79af8e67e5006284326"),
    ];
    for (secret, body, signature) in vectors {
        assert_eq!(SigningKey::new(secret).sign(TIMESTAMP, body).to_string(), signature);
    }
}

#[test]
fn verification_names_the_key_that_signed() {
    let keys = ["new", "old", "older"].map(SigningKey::new);
    for (place, key) in keys.iter().enumerate() {
        assert_eq!(verify(&keys, TIMESTAMP, EVENT, &key.sign(TIMESTAMP, EVENT)), Some(place));
    }
    let stranger = SigningKey::new("stranger").sign(TIMESTAMP, EVENT);
    assert_eq!(verify(&keys, TIMESTAMP, EVENT, &stranger), None);
    assert_eq!(verify([], TIMESTAMP, EVENT, &stranger), None);
}

#[test]
fn of_equal_keys_the_first_is_named() {
    let keys = ["other", "same", "same"].map(SigningKey::new);
    assert_eq!(verify(&keys, TIMESTAMP, EVENT, &keys[2].sign(TIMESTAMP, EVENT)), Some(1));
}

#[test]
fn debug_shows_no_secret() {
    let key = SigningKey::new(SECRET);
    assert_eq!(format!("{key:?}"), "SigningKey(hidden)");
}

#[test]
fn a_text_that_is_no_signature_is_refused_without_repeating_it() {
    let letter_o = format!("{}o{}", "0".repeat(10), "0".repeat(53));
    let cases = [
        (String::new(), SignatureError::WrongLength { found: 0 }),
        ("0".repeat(63), SignatureError::WrongLength { found: 63 }),
        ("0".repeat(66), SignatureError::WrongLength { found: 66 }),
        (format!("t=1,v1={}", "0".repeat(64)), SignatureError::WrongLength { found: 71 }),
        (letter_o, SignatureError::NotHexadecimal { place: 11 }),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Signature>(), Err(expected), "{text:?}");
    }
}

#[test]
fn a_timestamp_is_milliseconds() {
    let expected: Timestamp = "2021-05-11T22:20:59.663Z".parse().unwrap();
    assert_eq!(parse_timestamp("1620771659663"), Ok(expected));
    assert_eq!(parse_timestamp("0"), Ok(Timestamp::UNIX_EPOCH));
}

#[test]
fn a_timestamp_has_nothing_but_digits() {
    for text in ["", " 1620771659663", "+1620771659663", "-1", "1.5", "1e12", "١٦٢٠", "2021-05-11T22:20:59Z"]
    {
        assert_eq!(parse_timestamp(text), Err(TimestampError::NotDigits), "{text:?}");
    }
    for text in ["1620771659663000000", "99999999999999999999999999"] {
        assert_eq!(parse_timestamp(text), Err(TimestampError::OutOfRange), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_a_key_signs_it_verifies(secret: String, timestamp: Vec<u8>, body: Vec<u8>) {
        let key = SigningKey::new(&secret);
        let signature = key.sign(&timestamp, &body);
        prop_assert_eq!(verify([&key], &timestamp, &body, &signature), Some(0));
    }

    #[test]
    fn one_flipped_bit_anywhere_fails(
        secret: String,
        timestamp in prop::collection::vec(any::<u8>(), 1..20),
        body in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0..8_u32,
    ) {
        let key = SigningKey::new(&secret);
        let signature = key.sign(&timestamp, &body);
        let flipped = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            bytes
        };
        prop_assert_eq!(verify([&key], &flipped(&timestamp), &body, &signature), None);
        prop_assert_eq!(verify([&key], &timestamp, &flipped(&body), &signature), None);
        let forged = Signature(flipped(&signature.0).try_into().unwrap());
        prop_assert_eq!(verify([&key], &timestamp, &body, &forged), None);
        prop_assert_ne!(forged, signature);
    }

    #[test]
    fn a_signature_is_read_back_in_either_case(bytes: [u8; 32]) {
        let signature = Signature(bytes);
        let text = signature.to_string();
        prop_assert_eq!(text.parse(), Ok(signature));
        prop_assert_eq!(text.to_uppercase().parse(), Ok(signature));
    }

    #[test]
    fn reading_a_signature_or_a_timestamp_never_panics(text: String) {
        let _ = text.parse::<Signature>();
        let _ = parse_timestamp(&text);
    }
}
