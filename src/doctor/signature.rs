//! The third step: is the signature 64 hexadecimal characters?

use super::encoded::from_base64;
use super::{Code, Finding, Outcome};

/// A signature as far as it can be read. The text itself is never repeated: it may be good.
pub(super) struct Signed {
    pub(super) outcome: Outcome,
    /// The digest, however it was written.
    pub(super) digest: Option<[u8; 32]>,
}

/// What other services and libraries write before a signature.
const PREFIXES: [&str; 14] = [
    "hmac-sha256=",
    "hmac-sha256:",
    "hmac-sha256 ",
    "hmac ",
    "sha256=",
    "sha256:",
    "sha-256=",
    "sha1=",
    "sha512=",
    "signature=",
    "v1=",
    "v1,",
    "v0=",
    "0x",
];

const LONE_HEX: &str = "Podium's signature is HMAC-SHA256 in 64 hexadecimal characters, nothing before or after them. If \
                        this is a sender of your own, write it so; if not, the request is somebody else's or a proxy \
                        has changed it.";

/// Reads a signature.
pub(super) fn read(text: &str) -> Signed {
    let mut findings = Vec::new();
    let mut found = |code, message: String| findings.push(Finding::new(code, message, LONE_HEX));
    if text.trim().is_empty() {
        found(Code::SignatureEmpty, "The podium-signature header is empty.".to_owned());
        return Signed { outcome: Outcome::Failed { findings }, digest: None };
    }
    let bare = text.trim().trim_matches(['"', '\'']).trim();
    if bare != text {
        found(Code::SignatureNotBare, "The signature has white space or quotes around it.".to_owned());
    }
    let mut rest = bare;
    if let Some(prefix) = PREFIXES.iter().find(|prefix| starts_with(bare, prefix)) {
        found(Code::SignatureHasPrefix, format!("The signature has `{}` before it.", prefix.trim_end()));
        rest = bare[prefix.len()..].trim_start();
    }
    if let Some((first, _)) = rest.split_once([',', ' ', ';']) {
        found(Code::SignatureRepeated, "Several things stand in the signature's header.".to_owned());
        rest = first;
    }
    let (trouble, digest) = decode(rest);
    if let Some((code, message)) = trouble {
        found(code, message);
    }
    let is_upper = text.contains(|c: char| c.is_ascii_uppercase());
    let note = if is_upper {
        "64 hexadecimal characters; upper case is as good"
    } else {
        "64 hexadecimal characters"
    };
    Signed { outcome: Outcome::of(findings, note), digest }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// What is wrong with how a digest is written, and the digest if it is clear all the same.
fn decode(text: &str) -> (Option<(Code, String)>, Option<[u8; 32]>) {
    let foreign = text.chars().position(|c| !c.is_ascii_hexdigit());
    let Some(place) = foreign else {
        return match hex::decode(text).map(<[u8; 32]>::try_from) {
            Ok(Ok(digest)) => (None, Some(digest)),
            _ => (Some(of_length(text)), None),
        };
    };
    let in_base64 = |message: &str| Some((Code::SignatureInBase64, message.to_owned()));
    let bytes = from_base64(text.as_bytes()).unwrap_or_default();
    if let Ok(digest) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return (in_base64("The signature is in base64, not in hexadecimal characters."), Some(digest));
    }
    if let Ok(Ok(digest)) = hex::decode(&bytes).map(<[u8; 32]>::try_from) {
        return (in_base64("The signature is in hexadecimal characters, and those in base64."), Some(digest));
    }
    let trouble = match algorithm(bytes.len()) {
        Some((code, algorithm)) => {
            (code, format!("The signature is in base64, and as long as one by HMAC-{algorithm}."))
        }
        None => (
            Code::SignatureMalformed,
            format!("The signature is neither hexadecimal nor base64: see its character {}.", place + 1),
        ),
    };
    (Some(trouble), None)
}

fn of_length(hexadecimal: &str) -> (Code, String) {
    let characters = hexadecimal.len();
    if let Some((code, algorithm)) = algorithm(characters / 2).filter(|_| characters.is_multiple_of(2)) {
        let message =
            format!("The signature has {characters} hexadecimal characters, as one by HMAC-{algorithm} has.");
        return (code, message);
    }
    let message = format!("The signature has {characters} hexadecimal characters, and 64 are needed.");
    (Code::SignatureWrongLength, message)
}

fn algorithm(bytes: usize) -> Option<(Code, &'static str)> {
    match bytes {
        20 => Some((Code::SignatureIsSha1, "SHA-1")),
        48 => Some((Code::SignatureIsSha384, "SHA-384")),
        64 => Some((Code::SignatureIsSha512, "SHA-512")),
        _ => None,
    }
}
