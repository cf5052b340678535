//! Whatever the body and the mistake.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// JSON as Podium writes it: compact, nothing escaped that need not be.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zé/<\"\\\\\n🎉 ]{0,12}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-cé/]{1,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_map(|value| serde_json::json!({ "data": value, "metadata": { "eventUid": "é/1" } }))
}

fn escaped(text: &str) -> String {
    let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect()
}

/// What a proxy may make of a body.
const ALTERATIONS: [fn(&Value) -> Vec<u8>; 8] = [
    |value| format!("{value}\n").into_bytes(),
    |value| format!("\u{feff}{value}").into_bytes(),
    |value| format!(" {value:#}\r\n").into_bytes(),
    |value| format!("{value:#}").replace('\n', "\r\n").into_bytes(),
    |value| escaped(&value.to_string()).into_bytes(),
    |value| value.to_string().replace('/', "\\/").into_bytes(),
    |value| escaped(&format!("{value:#}").replace('/', "\\/")).into_bytes(),
    |value| serde_json::to_vec(&value.to_string()).unwrap(),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_proxy_makes_of_a_body_is_found(value in json()) {
        let sent = value.to_string();
        let headers = signed(TIMESTAMP, &signature(SECRET, TIMESTAMP, sent.as_bytes()));
        for alter in ALTERATIONS {
            let came = alter(&value);
            let diagnosis = diagnosed_with(&only_current(), &headers, &came);
            let found = diagnosis.findings().next().map(|finding| finding.code);
            prop_assert!(!diagnosis.accepted() && found != Some(Code::NothingFits), "{sent} came as {came:?}: {found:?}");
        }
    }

    #[test]
    fn what_was_signed_indented_and_came_compact_is_found(value in json()) {
        let headers = signed(TIMESTAMP, &signature(SECRET, TIMESTAMP, format!("{value:#}").as_bytes()));
        prop_assert_eq!(codes(&headers, value.to_string().as_bytes()), [Code::BodyReformatted]);
    }

    #[test]
    fn whatever_comes_there_is_an_answer_and_it_gives_nothing_away(
        names in prop::collection::vec(
            prop_oneof![
                Just("podium-signature".to_owned()),
                Just("podium-timestamp".to_owned()),
                Just("x-signature".to_owned()),
                "[a-z_-]{1,12}",
            ],
            0..4,
        ),
        values in prop::collection::vec(prop_oneof![any::<String>(), "[0-9]{8,20}", "[0-9a-f]{60,68}"], 4),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let headers: Vec<Header> = names.iter().zip(&values).map(|(name, value)| header(name, value)).collect();
        diagnosed_with(&only_current(), &headers, &body);
    }

    #[test]
    fn what_is_rightly_signed_is_accepted_within_the_window_and_explained_outside(
        at in 0..2_000_000_000_000_i64,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let at = at.to_string();
        let diagnosis = diagnosed(&signed(&at, &signature(SECRET, &at, &body)), &body);
        let signed_at = crate::podium::parse_timestamp(&at).unwrap();
        let is_within = WINDOW.beyond(signed_at, received_at()).is_none();
        prop_assert_eq!(diagnosis.accepted(), is_within);
    }
}
