//! Ends, line ends and characters.

use super::Undo;
use crate::doctor::Code;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) const UNDONE: [Undo; 14] = [
    (
        Code::BodyNewline,
        "without the newline at its end",
        "something between Podium and Lectern adds one",
        |body| Some(body.strip_suffix(b"\n")?.to_vec()),
    ),
    (
        Code::BodyNewline,
        "without the carriage return and newline at its end",
        "something between Podium and Lectern adds them",
        |body| Some(body.strip_suffix(b"\r\n")?.to_vec()),
    ),
    (
        Code::BodyNewline,
        "with a newline at its end",
        "something between Podium and Lectern takes it away",
        |body| Some([body, b"\n"].concat()),
    ),
    (
        Code::BodyNewline,
        "with a carriage return and a newline at its end",
        "something between Podium and Lectern takes them away",
        |body| Some([body, b"\r\n"].concat()),
    ),
    (
        Code::BodyTrimmed,
        "without the white space around it",
        "something between Podium and Lectern adds it",
        |body| Some(body.trim_ascii().to_vec()),
    ),
    (
        Code::BodyTrimmed,
        "without the white space at its end",
        "something between Podium and Lectern adds it",
        |body| Some(body.trim_ascii_end().to_vec()),
    ),
    (
        Code::BodyLineEnds,
        "with its line ends as LF, not CRLF",
        "something between Podium and Lectern changes them",
        |body| Some(line_feeds(body)),
    ),
    (
        Code::BodyLineEnds,
        "with its line ends as CRLF, not LF",
        "something between Podium and Lectern changes them",
        |body| Some(carriage_returns(&line_feeds(body))),
    ),
    (
        Code::BodyByteOrderMark,
        "without the byte order mark before it",
        "something between Podium and Lectern puts it there",
        |body| Some(body.strip_prefix(BYTE_ORDER_MARK)?.to_vec()),
    ),
    (
        Code::BodyByteOrderMark,
        "with a byte order mark before it",
        "something between Podium and Lectern takes it away",
        |body| Some([BYTE_ORDER_MARK, body].concat()),
    ),
    (
        Code::BodyCharset,
        "in UTF-8, from which every character beyond ASCII was turned into several",
        "something between Podium and Lectern reads UTF-8 as Latin-1",
        |body| latin_1(body).filter(|bytes| std::str::from_utf8(bytes).is_ok()),
    ),
    (
        Code::BodyCharset,
        "in Latin-1 (ISO 8859-1), not UTF-8",
        "it was signed so, and something between the sender and Lectern, or the sender itself, brings it into UTF-8",
        latin_1,
    ),
    (
        Code::BodyCharset,
        "in UTF-8, not Latin-1 (ISO 8859-1)",
        "something between Podium and Lectern brings it into another character set",
        |body| Some(body.iter().copied().map(char::from).collect::<String>().into_bytes()),
    ),
    (
        Code::BodyEmptyWhenSigned,
        "as if it were empty",
        "what signed it read a body that had been read before, and got nothing",
        |_| Some(Vec::new()),
    ),
];

fn line_feeds(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.iter().copied().peekable();
    let mut changed = Vec::with_capacity(body.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            changed.push(byte);
        }
    }
    changed
}

fn carriage_returns(body: &[u8]) -> Vec<u8> {
    let mut changed = Vec::with_capacity(body.len());
    for byte in body {
        if *byte == b'\n' {
            changed.push(b'\r');
        }
        changed.push(*byte);
    }
    changed
}

/// The text in one byte a character, if every character has one.
fn latin_1(body: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(body).ok()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}
