//! The first step: are both headers there, by their names?

use super::{Code, Finding, Outcome, timestamp};
use crate::model::Header;
use crate::podium::{SIGNATURE_HEADER, Signature, TIMESTAMP_HEADER};

/// What the headers hold, by whatever name.
pub(super) struct Found<'a> {
    pub(super) outcome: Outcome,
    pub(super) signature: Option<&'a str>,
    pub(super) timestamp: Option<&'a str>,
}

const PROXY: &str = "Look for a rule about headers in the proxies between Podium and Lectern; what begins with \
                     `podium-` must pass unchanged.";

const UNSIGNED: &str = "Set a secret for the webhook at Podium, the same as here: without one it does not sign. If it \
                        has one, a proxy in between removes the headers: what begins with `podium-` must pass.";

const FOREIGN: &str = "Podium names its headers podium-signature and podium-timestamp. A sender of your own must do the \
                       same.";

/// Looks for both values.
pub(super) fn look(headers: &[Header]) -> Found<'_> {
    let mut findings = Vec::new();
    let signature = find(headers, SIGNATURE_HEADER, &["signature", "hmac"]);
    let timestamp = find(headers, TIMESTAMP_HEADER, &["timestamp"]);
    let joined = signature.value().and_then(joined);
    // With both in one header, nothing else is missing.
    if let Some((at, signed)) = joined {
        let name = signature.name().unwrap_or(SIGNATURE_HEADER);
        findings.push(Finding::new(
            Code::AnotherVendorsForm,
            format!("The header {name} has the form `t=…,v1=…`, as other services write it."),
            "Podium sends the bare signature in podium-signature and the milliseconds in podium-timestamp. If this is a \
             sender of your own, do the same; if not, the request is somebody else's.",
        ));
        return Found { outcome: Outcome::Failed { findings }, signature: Some(signed), timestamp: Some(at) };
    }
    let both_missing = signature == Named::Missing && timestamp == Named::Missing;
    let missing = if both_missing { UNSIGNED } else { PROXY };
    signature.report(
        SIGNATURE_HEADER,
        [Code::SignatureMissing, Code::SignatureRenamed],
        missing,
        &mut findings,
    );
    timestamp.report(
        TIMESTAMP_HEADER,
        [Code::TimestampMissing, Code::TimestampRenamed],
        missing,
        &mut findings,
    );

    let (mut signature, mut timestamp) = (signature.value(), timestamp.value());
    if let (Some(in_signature), Some(in_timestamp)) = (signature, timestamp)
        && in_timestamp.parse::<Signature>().is_ok()
        && timestamp::is_number(in_signature)
    {
        findings.push(Finding::new(
            Code::HeadersSwapped,
            "The signature is where the timestamp should be, and the timestamp where the signature should be.",
            FOREIGN,
        ));
        (signature, timestamp) = (timestamp, signature);
    }
    let outcome = Outcome::of(findings, format!("{SIGNATURE_HEADER} and {TIMESTAMP_HEADER} are there"));
    Found { outcome, signature, timestamp }
}

/// Every value of the signature's header, the first one first.
pub(super) fn signatures(headers: &[Header]) -> impl Iterator<Item = &str> {
    headers.iter().filter(|header| header.name == SIGNATURE_HEADER).map(|header| header.value.as_str())
}

#[derive(PartialEq)]
enum Named<'a> {
    Rightly(&'a Header),
    Otherwise(&'a Header),
    Missing,
}

impl<'a> Named<'a> {
    fn value(&self) -> Option<&'a str> {
        match self {
            Self::Rightly(header) | Self::Otherwise(header) => Some(&header.value),
            Self::Missing => None,
        }
    }

    fn name(&self) -> Option<&'a str> {
        match self {
            Self::Rightly(header) | Self::Otherwise(header) => Some(&header.name),
            Self::Missing => None,
        }
    }

    fn report(&self, wanted: &str, codes: [Code; 2], missing: &str, findings: &mut Vec<Finding>) {
        let [is_missing, is_renamed] = codes;
        match self {
            Self::Rightly(_) => {}
            Self::Otherwise(header) => {
                let advice = if bare(&header.name) == wanted { PROXY } else { FOREIGN };
                findings.push(Finding::new(
                    is_renamed,
                    format!("There is no {wanted} header; there is {} instead.", header.name),
                    advice,
                ));
            }
            Self::Missing => {
                findings.push(Finding::new(is_missing, format!("There is no {wanted} header."), missing));
            }
        }
    }
}

/// The header of this name, else the one that was most likely meant by it.
fn find<'a>(headers: &'a [Header], wanted: &str, words: &[&str]) -> Named<'a> {
    if let Some(header) = headers.iter().find(|header| header.name == wanted) {
        return Named::Rightly(header);
    }
    let likeness = |header: &Header| {
        let name = bare(&header.name);
        let is_alike = strsim::jaro_winkler(&name, wanted);
        // Of the standard for signed HTTP messages: it says what is signed, and is no signature.
        let has_word = words.iter().any(|word| name.contains(word)) && name != "signature-input";
        if has_word || is_alike > 0.95 { Some(is_alike) } else { None }
    };
    headers
        .iter()
        .filter_map(|header| Some((likeness(header)?, header)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or(Named::Missing, |(_, header)| Named::Otherwise(header))
}

/// A name without what proxies and frameworks put before it.
fn bare(name: &str) -> String {
    let name = name.to_lowercase().replace('_', "-");
    let mut rest = name.as_str();
    while let Some(shorter) = ["http-", "x-", "forwarded-", "original-", "amzn-remapped-"]
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))
    {
        rest = shorter;
    }
    rest.to_owned()
}

/// Timestamp and signature of `t=…,v1=…`.
fn joined(value: &str) -> Option<(&str, &str)> {
    let part = |name: &str| {
        value.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).map(str::trim)
    };
    Some((part("t")?, ["v1", "v0", "s"].into_iter().find_map(part)?))
}
