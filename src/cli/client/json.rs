//! JSON as the API wrote it, its order and its digits kept, laid out for people. It goes to terminals, too: what one would act
//! on, and JSON lets stand as it is, is spelt out as JSON can. To a program it is the same.

use std::fmt::Write as _;

use crate::cli::plain::is_order;

/// What is nested deeper is not indented: the margin of a senseless body would be larger than it.
const DEEPEST: usize = 64;

/// Each level on lines of its own, as one that stands `depth` levels deep.
pub(super) fn indented(json: &str, depth: usize) -> String {
    write(json, Some(depth))
}

/// All on one line.
pub(in crate::cli) fn on_one_line(json: &str) -> String {
    write(json, None)
}

/// Writes a text that is known to be JSON.
fn write(json: &str, depth: Option<usize>) -> String {
    let mut written = String::with_capacity(json.len());
    let mut depth = depth;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                written.push(c);
                text(&mut chars, &mut written);
            }
            '{' | '[' => {
                written.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    written.push(end);
                } else {
                    depth = depth.map(|depth| depth + 1);
                    new_line(&mut written, depth);
                }
            }
            '}' | ']' => {
                depth = depth.map(|depth| depth.saturating_sub(1));
                new_line(&mut written, depth);
                written.push(c);
            }
            ',' => {
                written.push(c);
                new_line(&mut written, depth);
            }
            ':' if depth.is_some() => written.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => written.push(c),
        }
    }
    written
}

/// Writes a text to its closing quote.
fn text(chars: &mut impl Iterator<Item = char>, written: &mut String) {
    let mut is_escaped = false;
    for c in chars {
        if is_order(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a text never fails.
                let _ = write!(written, "\\u{unit:04x}");
            }
        } else {
            written.push(c);
        }
        if c == '"' && !is_escaped {
            return;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
}

fn new_line(written: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth.filter(|depth| *depth <= DEEPEST) {
        written.push('\n');
        written.extend(std::iter::repeat_n("  ", depth));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const ODD: &str = r#" {"b" : [ ], "a":{ }, "n":[1.50, 12345678901234567890.00001 ,{"q":"a \"quoted\" \\"}],
        "t":"x: {[,]} "} "#;

    #[test]
    fn it_is_laid_out_with_its_order_and_its_digits() {
        assert_eq!(
            indented(ODD, 0),
            "{\n  \"b\": [],\n  \"a\": {},\n  \"n\": [\n    1.50,\n    12345678901234567890.00001,\n    {\n      \"q\": \
             \"a \\\"quoted\\\" \\\\\"\n    }\n  ],\n  \"t\": \"x: {[,]} \"\n}"
        );
        assert_eq!(
            on_one_line(ODD),
            r#"{"b":[],"a":{},"n":[1.50,12345678901234567890.00001,{"q":"a \"quoted\" \\"}],"t":"x: {[,]} "}"#
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelt_out_and_means_the_same() {
        let json = "{\"a\":\"\u{9b}31m\u{7f}\u{202e} \\\\\"}";
        let written = on_one_line(json);
        assert_eq!(written, r#"{"a":"\u009b31m\u007f\u202e \\"}"#);
        let read = |json| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(read(&written), read(json));
    }

    #[test]
    fn a_senselessly_deep_value_has_no_senselessly_wide_margin() {
        let json = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(indented(&json, 0).len() < 40_000);
    }
}
