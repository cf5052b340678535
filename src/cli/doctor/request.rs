//! A request as people have it: from a proxy's log, from `nc`, from curl.

use std::fmt;

use crate::model::Header;

/// A request.
pub(super) struct Request {
    /// The source that its path names.
    pub(super) source: Option<String>,
    pub(super) headers: Vec<Header>,
    pub(super) body: Vec<u8>,
}

/// Why a text is no request, or a line no header. It repeats neither.
#[derive(Debug, PartialEq)]
pub(super) enum Unreadable {
    NoHeaders,
    NoName { line: Option<usize> },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeaders => f.write_str("there is no header in it"),
            Self::NoName { line: Some(line) } => {
                write!(f, "its line {line} has no name and colon before the value")
            }
            Self::NoName { line: None } => f.write_str("has no name and colon before the value"),
        }
    }
}

impl Request {
    /// Reads a whole request: request line, headers, an empty line, the body.
    pub(super) fn whole(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (head, body) = parts(bytes);
        let headers = headers(head)?;
        Ok(Self { source: source(head), body: without_framing(&headers, body), headers })
    }
}

/// Reads lines of headers. What else curl prints is passed over: the first line of a request or an answer, and the marks
/// that `-v` puts before each line.
pub(super) fn headers(bytes: &[u8]) -> Result<Vec<Header>, Unreadable> {
    let text = String::from_utf8_lossy(bytes);
    let mut headers: Vec<Header> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = unmarked(line);
        if line.trim().is_empty() {
            // The empty line after the headers; before them it means nothing.
            if headers.is_empty() { continue } else { break }
        }
        if line.starts_with("* ") || is_first_line(line) {
            continue;
        }
        match headers.last_mut() {
            // A value that goes on.
            Some(last) if line.starts_with([' ', '\t']) => {
                last.value = format!("{} {}", last.value, line.trim()).trim().to_owned();
            }
            _ => headers.push(header(line).map_err(|_| Unreadable::NoName { line: Some(number + 1) })?),
        }
    }
    if headers.is_empty() { Err(Unreadable::NoHeaders) } else { Ok(headers) }
}

/// Reads `name: value`; the white space around the value is not part of it, as in HTTP.
pub(super) fn header(line: &str) -> Result<Header, Unreadable> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match line.split_once(':') {
        Some((name, value)) if !name.is_empty() && name.chars().all(is_token) => Ok(Header {
            name: name.to_ascii_lowercase(),
            value: value.trim_matches([' ', '\t', '\r', '\n']).to_owned(),
        }),
        _ => Err(Unreadable::NoName { line: None }),
    }
}

/// What stands before the empty line, and after it.
fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end =
        |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark).map(|at| (at, mark.len()));
    match [end(b"\r\n\r\n"), end(b"\n\n")].into_iter().flatten().min() {
        Some((at, length)) => (&bytes[..at], &bytes[at + length..]),
        None => (bytes, &[]),
    }
}

fn unmarked(line: &str) -> &str {
    line.strip_prefix("> ").or_else(|| line.strip_prefix("< ")).unwrap_or(if matches!(line, ">" | "<") {
        ""
    } else {
        line
    })
}

fn is_first_line(line: &str) -> bool {
    line.starts_with("HTTP/")
        || line.trim_end().rsplit(' ').next().is_some_and(|last| last.starts_with("HTTP/"))
}

/// The source in the path of the request line.
fn source(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let first = text.lines().map(unmarked).find(|line| is_first_line(line))?;
    let path = first.split(' ').nth(1)?.split(['?', '#']).next()?;
    let (_, source) = path.split_once("/webhooks/podium/")?;
    Some(source.trim_end_matches('/').to_owned()).filter(|source| !source.is_empty())
}

/// The body itself: out of its chunks, and no longer than the headers say.
fn without_framing(headers: &[Header], body: &[u8]) -> Vec<u8> {
    let value =
        |name: &str| headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        && let Some(joined) = joined(body)
    {
        return joined;
    }
    // What follows is the newline of whatever the request was saved with.
    let length = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(body.len());
    body[..length.min(body.len())].to_vec()
}

/// A body out of its chunks; none where there are no chunks, as in a log that has joined them.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(body);
        }
        let (chunk, after) = rest.split_at_checked(size)?;
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
        headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    #[test]
    fn headers_are_read_as_curl_and_proxies_print_them() {
        for text in [
            "Podium-Timestamp: 1\nPODIUM-SIGNATURE:\t ab \n",
            "HTTP/1.1 200 OK\r\nPodium-Timestamp: 1\r\nPodium-Signature: ab\r\n\r\nbody: no header\r\n",
            "* Connected\n> POST /webhooks/podium HTTP/1.1\n> podium-timestamp: 1\n> podium-signature: ab\n>\n",
            "\npodium-timestamp: 1\npodium-signature:\n ab",
        ] {
            let headers = headers(text.as_bytes()).unwrap();
            assert_eq!(named(&headers, "podium-timestamp"), Some("1"), "{text:?}");
            assert_eq!(named(&headers, "podium-signature"), Some("ab"), "{text:?}");
            assert_eq!(headers.len(), 2, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_header_is_named_by_its_number() {
        assert_eq!(headers(b"a: 1\nno header").unwrap_err(), Unreadable::NoName { line: Some(2) });
        assert_eq!(headers(b"two words: 1").unwrap_err(), Unreadable::NoName { line: Some(1) });
        assert_eq!(headers(b" \n").unwrap_err(), Unreadable::NoHeaders);
    }

    #[test]
    fn a_request_has_its_source_in_its_path() {
        for (line, source) in [
            ("POST /webhooks/podium HTTP/1.1", None),
            ("POST /webhooks/podium/ HTTP/1.1", None),
            ("POST /webhooks/podium/north HTTP/1.1", Some("north")),
            ("POST https://example.com/webhooks/podium/north/?a=b HTTP/2", Some("north")),
            ("host: example.com", None),
        ] {
            let request = Request::whole(format!("{line}\r\na: b\r\n\r\nbody").as_bytes()).unwrap();
            assert_eq!(request.source.as_deref(), source, "{line}");
            assert_eq!(request.body, b"body");
        }
    }

    #[test]
    fn a_body_comes_out_of_its_chunks_and_ends_where_its_length_says() {
        for (head, body) in [
            ("transfer-encoding: chunked", "3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n"),
            ("transfer-encoding: chunked", "{\"a\":1}"),
            ("content-length: 7", "{\"a\":1}\n"),
            ("content-length: 70", "{\"a\":1}"),
        ] {
            let request = Request::whole(format!("{head}\n\n{body}").as_bytes()).unwrap();
            assert_eq!(request.body, b"{\"a\":1}", "{head}");
        }
    }
}
