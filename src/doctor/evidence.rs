//! What speaks for a body that was changed on its way, when what was changed can't be undone.

use super::{Code, Examined, Finding};
use crate::model::Header;

const PASS_ON: &str = "Look for what reads the body before Lectern: a proxy, a function, a framework. It must pass it on byte \
                       for byte.";

/// What speaks for a body that was changed.
pub(super) fn of(request: &Examined<'_>) -> Vec<Finding> {
    let value = |name: &str| {
        request.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    };
    let mut findings = Vec::new();
    if request.body.is_empty() {
        findings.push(Finding::new(
            Code::BodyEmpty,
            "The body is empty, and was not when it was signed.",
            "Something has read the body before, and it can be read only once: a proxy, a function, a framework. It must \
             pass it on.",
        ));
        return findings;
    }
    let length = request.body.len();
    let announced = value("content-length").and_then(|length| length.trim().parse::<usize>().ok());
    if let Some(announced) = announced.filter(|announced| *announced != length) {
        findings.push(Finding::new(
            Code::BodyLengthDiffers,
            format!("The body has {length} bytes, and its content-length says {announced}."),
            "The body was changed or cut off after it was sent. If it was copied by hand, give it exactly as it came.",
        ));
    }
    if let Some(encoding) = value("content-encoding").filter(|encoding| *encoding != "identity") {
        let encoding: String = encoding.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        findings.push(Finding::new(
            Code::BodyCompressed,
            format!("The content-encoding is {encoding}: the body was compressed, or unpacked, on its way."),
            PASS_ON,
        ));
    }
    if request.body.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes()) {
        findings.push(Finding::new(
            Code::BodyCharactersLost,
            "The body has U+FFFD in it, which stands for a character that something could not read.",
            PASS_ON,
        ));
    }
    findings
}

/// The name of a header that a proxy has left.
pub(super) fn proxy(headers: &[Header]) -> Option<&str> {
    const MARKS: [&str; 8] = [
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-real-ip",
        "cf-ray",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
    ];
    headers.iter().map(|header| header.name.as_str()).find(|name| MARKS.contains(name))
}
