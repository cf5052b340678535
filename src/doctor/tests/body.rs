//! Bodies that were changed on their way.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Code::*;
use super::*;

/// What is found when `sent` was signed and `came` arrived.
fn diagnosed_change(sent: &[u8], came: &[u8]) -> Diagnosis {
    diagnosed_with(&only_current(), &signed(TIMESTAMP, &signature(SECRET, TIMESTAMP, sent)), came)
}

fn codes_of_change(sent: &[u8], came: &[u8]) -> Vec<Code> {
    diagnosed_change(sent, came).findings().map(|finding| finding.code).collect()
}

const WRITTEN: &str =
    r#"{"b":{"text":"Café <b>¡Olé!</b> 🎉 a/b","empty":{},"none":[]},"a":[1,2.50,true,null]}"#;

#[test]
fn a_change_that_can_be_undone_is_named() {
    let indented_by_2 = "{\n  \"b\": {\n    \"text\": \"Café <b>¡Olé!</b> 🎉 a/b\",\n    \"empty\": {},\n    \"none\": []\n  },\n  \
                         \"a\": [\n    1,\n    2.50,\n    true,\n    null\n  ]\n}";
    let by_python =
        r#"{"b": {"text": "Café <b>¡Olé!</b> 🎉 a/b", "empty": {}, "none": []}, "a": [1, 2.50, true, null]}"#;
    let escaped = r#"{"b":{"text":"Caf\u00e9 <b>\u00a1Ol\u00e9!</b> \ud83c\udf89 a/b","empty":{},"none":[]},"a":[1,2.50,true,null]}"#;
    let by_php = escaped.replace('/', "\\/");
    let by_go = WRITTEN.replace('<', r"\u003c").replace('>', r"\u003e");
    let sorted = r#"{"a":[1,2.50,true,null],"b":{"empty":{},"none":[],"text":"Café <b>¡Olé!</b> 🎉 a/b"}}"#;
    let upper = escaped
        .replace(r"\u00e9", r"\u00E9")
        .replace(r"\u00a1", r"\u00A1")
        .replace(r"\ud83c\udf89", r"\uD83C\uDF89");
    let lines = WRITTEN.replace(',', ",\n");
    let in_crlf = WRITTEN.replace(',', ",\r\n");
    let with_newline = format!("{WRITTEN}\n");
    let with_crlf = format!("{WRITTEN}\r\n");
    let with_mark = format!("\u{feff}{WRITTEN}");
    let wrapped = serde_json::to_string(WRITTEN).unwrap();
    let in_base64 = BASE64_STANDARD.encode(WRITTEN);
    for (sent, came, expected) in [
        (WRITTEN, with_newline.as_str(), BodyNewline),
        (WRITTEN, &with_crlf, BodyNewline),
        (&with_newline, WRITTEN, BodyNewline),
        (&with_crlf, WRITTEN, BodyNewline),
        (WRITTEN, &format!("  {WRITTEN}\n\n"), BodyTrimmed),
        (&lines, &in_crlf, BodyLineEnds),
        (&in_crlf, &lines, BodyLineEnds),
        (WRITTEN, &with_mark, BodyByteOrderMark),
        (&with_mark, WRITTEN, BodyByteOrderMark),
        (WRITTEN, indented_by_2, BodyReformatted),
        (indented_by_2, WRITTEN, BodyReformatted),
        (&indented_by_2.replace("  ", "    "), WRITTEN, BodyReformatted),
        (&indented_by_2.replace("  ", "\t"), WRITTEN, BodyReformatted),
        (WRITTEN, by_python, BodyReformatted),
        (by_python, WRITTEN, BodyReformatted),
        (WRITTEN, escaped, BodyEscapes),
        (escaped, WRITTEN, BodyEscapes),
        (&upper, WRITTEN, BodyEscapes),
        (WRITTEN, &by_php, BodyEscapes),
        (&by_php, WRITTEN, BodyEscapes),
        (WRITTEN, &by_go, BodyEscapes),
        (&by_go, WRITTEN, BodyEscapes),
        (sorted, WRITTEN, BodyReordered),
        (&escaped.replace("\":", "\": ").replace(",\"", ", \""), indented_by_2, NothingFits),
        (WRITTEN, &wrapped, BodyWrapped),
        (&wrapped, WRITTEN, BodyWrapped),
        (WRITTEN, &in_base64, BodyInBase64),
        ("", WRITTEN, BodyEmptyWhenSigned),
        (WRITTEN, "", BodyEmpty),
        ("{\"a\":\"b c&d\"}", "%7B%22a%22%3A%22b+c%26d%22%7D", BodyUrlEncoded),
        ("{\"a\":\"b c&d\"}", "payload=%7B%22a%22%3A%22b+c%26d%22%7D&x=y", BodyUrlEncoded),
        ("{\"a\":\"b c&d\"}", "%7B%22a%22%3A%22b%20c%26d%22%7D=", BodyUrlEncoded),
        ("%7B%22a%22%3A%22b+c%26d%22%7D", "{\"a\":\"b c&d\"}", BodyUrlEncoded),
    ] {
        let found = codes_of_change(sent.as_bytes(), came.as_bytes());
        assert_eq!(found.first(), Some(&expected), "{sent:?} came as {came:?}: {found:?}");
    }
}

#[test]
fn a_body_in_another_character_set_is_named() {
    let text = r#"{"text":"Café ¡Olé!"}"#;
    let latin_1: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let twice: String = text.bytes().map(char::from).collect();
    for (sent, came) in [
        (text.as_bytes(), latin_1.as_slice()),
        (&latin_1, text.as_bytes()),
        (text.as_bytes(), twice.as_bytes()),
        (twice.as_bytes(), text.as_bytes()),
    ] {
        assert_eq!(codes_of_change(sent, came), [BodyCharset]);
    }
}

#[test]
fn a_change_is_told_exactly() {
    let message = |sent: &str, came: &str| {
        let diagnosis = diagnosed_change(sent.as_bytes(), came.as_bytes());
        diagnosis.findings().next().unwrap().message.clone()
    };
    assert_eq!(
        message(BODY, &format!("{BODY}\n")),
        "The signature fits the body without the newline at its end: something between Podium and Lectern adds one."
    );
    assert_eq!(
        message(r#"{"a":"é/"}"#, r#"{ "a": "\u00e9\/" }"#),
        "The signature fits the body with nothing escaped in its JSON that need not be, without white space between its \
         values: something between Podium and Lectern reads the JSON and writes it anew."
    );
}

#[test]
fn what_speaks_for_a_change_that_cannot_be_undone_is_told() {
    let signature = signature(SECRET, TIMESTAMP, b"{\"a\":1.0}");
    let with = |name: &str, value: &str, body: &str| {
        let headers = [signed(TIMESTAMP, &signature), vec![header(name, value)]].concat();
        let diagnosis = diagnosed_with(&only_current(), &headers, body.as_bytes());
        diagnosis.findings().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(with("content-length", "9", "{\"a\":1}"), [BodyLengthDiffers, NothingFits]);
    assert_eq!(with("content-length", "7", "{\"a\":1}"), [NothingFits]);
    assert_eq!(with("content-encoding", "gzip", "{\"a\":1}"), [BodyCompressed, NothingFits]);
    assert_eq!(with("accept", "*/*", "{\"a\":\"\u{fffd}\"}"), [BodyCharactersLost, NothingFits]);
    let headers = [signed(TIMESTAMP, &signature), vec![header("via", "1.1 proxy")]].concat();
    let diagnosis = diagnosed_with(&only_current(), &headers, b"{\"a\":1}");
    assert!(diagnosis.findings().next().unwrap().advice.contains("its header via"), "{diagnosis:?}");
}

#[test]
fn what_was_not_tried_for_its_size_is_told() {
    let secrets = only_current();
    let tried = |body: &[u8], most: u64| {
        let headers = signed(TIMESTAMP, &signature("a stranger's", TIMESTAMP, body));
        let request = Examined { headers: &headers, body, received_at: received_at() };
        let diagnosis = examine_within(&request, &rules(&secrets), most);
        let finding = diagnosis.findings().next().unwrap();
        assert_eq!(finding.code, NothingFits);
        !finding.message.contains("Not everything was tried")
    };
    assert!(tried(b"[]", MAX_HASHED));
    assert!(!tried(b"[]", 100_000));
    assert!(!tried(&vec![b' '; MAX_CHANGED + 1], 3 << 20));
}

#[test]
fn json_that_is_nested_deeply_or_grows_without_bounds_is_left_as_it_is() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let grows = format!("{}{}{}", "[".repeat(30), "1,".repeat(2_000), "1]".to_owned() + &"]".repeat(29));
    for body in [deep, grows] {
        assert!(
            super::super::body::changes(body.as_bytes())
                .all(|(_, changed)| changed.len() <= 4 * body.len() + 1024)
        );
    }
}
