//! A body that was put into something else, or taken out of it.

use super::Undo;
use crate::doctor::Code;
use crate::doctor::encoded::from_base64;

pub(super) const UNDONE: [Undo; 8] = [
    (
        Code::BodyWrapped,
        "taken out of the JSON text that it is in",
        "something between Podium and Lectern writes JSON that is JSON already",
        |body| serde_json::from_slice::<String>(body).ok().map(String::into_bytes),
    ),
    (Code::BodyWrapped, "as a text in JSON", "the sender signs JSON of what is JSON already", |body| {
        serde_json::to_vec(std::str::from_utf8(body).ok()?).ok()
    }),
    (
        Code::BodyInBase64,
        "decoded from base64",
        "something between Podium and Lectern, such as a gateway for functions, encodes it",
        |body| from_base64(body.trim_ascii()),
    ),
    (
        Code::BodyUrlEncoded,
        "decoded from the URL encoding of a form",
        "something between Podium and Lectern sends it on as a form",
        |body| url_decoded(body),
    ),
    (
        Code::BodyUrlEncoded,
        "as the value of the form's field that it is in",
        "something between Podium and Lectern sends it on as a form",
        |body| {
            let field = body.split(|byte| *byte == b'&').next()?;
            let value = field.splitn(2, |byte| *byte == b'=').nth(1)?;
            url_decoded(value).or_else(|| Some(value.to_vec()))
        },
    ),
    (
        Code::BodyUrlEncoded,
        "as the name of the form's field that it is in",
        "something between Podium and Lectern takes it for a form",
        |body| {
            let name = body.strip_suffix(b"=")?;
            url_decoded(name).or_else(|| Some(name.to_vec()))
        },
    ),
    (
        Code::BodyUrlEncoded,
        "in the URL encoding of a form",
        "something between Podium and Lectern decodes it",
        |body| Some(url_encoded(body, "+")),
    ),
    (Code::BodyUrlEncoded, "in URL encoding", "something between Podium and Lectern decodes it", |body| {
        Some(url_encoded(body, "%20"))
    }),
];

/// Decodes `%41` and `+`; none where there is nothing to decode or a `%` without its two digits.
fn url_decoded(body: &[u8]) -> Option<Vec<u8>> {
    if !body.iter().any(|byte| b"%+".contains(byte)) {
        return None;
    }
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, after @ ..] = rest {
        rest = after;
        decoded.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                let mut byte = [0];
                hex::decode_to_slice(digits, &mut byte).ok()?;
                byte[0]
            }
            byte => *byte,
        });
    }
    Some(decoded)
}

fn url_encoded(body: &[u8], space: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(body.len() * 2);
    for byte in body {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => encoded.push(*byte),
            b' ' => encoded.extend_from_slice(space.as_bytes()),
            byte => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    encoded
}
