//! Whatever is written, and whatever arrives.

use proptest::prelude::*;

use super::*;

/// Pieces that expressions are made of, so that many of what is put together are some.
#[rustfmt::skip] // One a line would be a page.
const PIECES: &[&str] = &[
    "event", "data", "metadata", "body", ".type", ".body", ".items", ".a", "[0]", "['a']", "[1:]", "[::-1]",
    "(", ")", "[", "]", "{'a': 1}", ",", "==", "!=", "<", ">=", " in ", " not in ", " is ", " not ",
    " and ", " or ", " if ", " else ", "~", "+", "-", "*", "/", "//", "%", "**", "|lower", "|length",
    "|list", "|sort", "|join(',')", "|tojson", "|first", "|map(attribute='a')", "|batch(3)", "|int",
    "|round", "|default(1)", "|string", "|indent(9)", "|unique", "|dictsort", "none", "true", "defined",
    "divisibleby(0)", "range(99)", "'x'", "'%9d'|format", "1", "0", "-1", "99999999999", "1e308", "loop",
    "x", "{{", "}}", "{%", "%}", "{% for x in ", "{% endfor %}", "{% set x = ", "{% if ", "{% endif %}",
    "{#",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![20 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()]
}

fn written() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let name = prop_oneof![Just("a".to_owned()), Just("items".to_owned()), any::<String>()];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|table| table.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => json().prop_map(|data| serde_json::json!({ "data": data, "metadata": {} }).to_string().into_bytes()),
        1 => json().prop_map(|json| json.to_string().into_bytes()),
        1 => any::<Vec<u8>>(),
    ]
}

/// Of every kind that Podium may send, each with its own way through an engine.
const CONDITIONS: [&str; 8] = [
    "data.a.b.c",
    "data == metadata",
    "data.items | list | length > 1",
    "data | string | lower",
    "data < 5",
    "(data | tojson) == body",
    "data.a * 9999999",
    "data | map(attribute='a') | sort | unique | join",
];

proptest! {
    #[test]
    fn any_text_is_a_condition_or_a_mistake_and_ends_on_any_body(written in written(), body in body()) {
        if let Ok(condition) = Condition::compile(&written) {
            let _met_or_not = condition.is_met(&scope(&body));
        }
    }

    #[test]
    fn conditions_end_on_any_body_without_a_mistake_of_the_engine(body in body(), of in 0..CONDITIONS.len()) {
        if let Err(mistake) = Condition::compile(CONDITIONS[of]).unwrap().is_met(&scope(&body)) {
            prop_assert!(!mistake.to_string().contains("engine"), "{}", mistake);
        }
    }

    #[test]
    fn any_text_is_a_template_or_a_mistake_and_ends_on_any_body(
        parts in prop::collection::vec((any::<bool>(), written()), 0..5),
        body in body(),
        of in 0..3_usize,
    ) {
        let whole = |(is_raw, part): &(bool, String)| if *is_raw { part.clone() } else { format!("{{{{ {part} }}}}") };
        let written: String = parts.iter().map(whole).collect();
        let _made_or_not = filled_in(&written, ["application/json", "text/html", "text/plain"][of], &body);
    }

    #[test]
    fn no_body_leaves_the_quotation_marks_that_it_is_put_between(body in body()) {
        let template = r#"{"one": "{{ data }}", "two": "{{ body }}", "three": {{ data | tojson }}, "four": "{{ data.a ~ data.items }}"}"#;
        let made = filled_in(template, "application/json", &body).unwrap();
        let made: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&made).unwrap();
        prop_assert_eq!(made.len(), 4);
        prop_assert_eq!(&made["two"], &String::from_utf8_lossy(&body).into_owned());
    }
}
