//! The fourth step: which secret gives this signature, over which timestamp and which body?

use super::fit::{Search, Searched};
use super::signature::{self, Signed};
use super::timestamp::Timestamped;
use super::{Code, Examined, Finding, Outcome, Rules, evidence, headers};

/// Looks for what the signature was made of, by hashing `most` bytes at most. Says also whether that was found.
pub(super) fn check(
    request: &Examined<'_>,
    rules: &Rules<'_>,
    timestamp: Option<&Timestamped>,
    signature: Option<&Signed>,
    most: u64,
) -> (Outcome, bool) {
    if rules.secrets.is_empty() {
        return (Outcome::Failed { findings: vec![no_secret(rules.source)] }, false);
    }
    let Some(digest) = signature.and_then(|signed| signed.digest) else {
        return (Outcome::NotReached, false);
    };
    let spellings = timestamp.map_or(&[][..], |timestamp| &timestamp.spellings);
    let mut search = Search::new(request, rules, spellings, most);
    let complete = match search.run(&digest) {
        Searched::Found(fit) => {
            let note = format!("the signature fits {}", fit.key.candidate.described());
            return (Outcome::of(fit.findings(rules.source), note), true);
        }
        Searched::Nothing { complete } => complete,
    };
    for other in headers::signatures(request.headers).skip(1).take(3) {
        if let Some(digest) = signature::read(other).digest
            && let Searched::Found(fit) = search.run(&digest)
        {
            let mut findings = vec![repeated()];
            findings.extend(fit.findings(rules.source));
            return (Outcome::Failed { findings }, true);
        }
    }
    // Without a timestamp the documented message can't be put together, and nothing follows from what does not fit.
    if timestamp.is_none() {
        return (Outcome::NotReached, false);
    }
    let mut findings = evidence::of(request);
    if !rules.secrets.iter().any(|secret| secret.is_good_for(rules.source)) {
        findings.push(no_secret(rules.source));
    }
    findings.push(nothing_fits(request, rules, complete));
    (Outcome::Failed { findings }, false)
}

fn no_secret(source: &str) -> Finding {
    Finding::new(
        Code::NoSecret,
        format!("The source `{source}` has no secret to verify with."),
        "Configure the secret that its webhook has at Podium, or start Lectern once: the first start makes one for the \
         source `default`.",
    )
}

fn repeated() -> Finding {
    Finding::new(
        Code::HeaderRepeated,
        "The podium-signature header is there several times, and not the first but a later one is right.",
        "Look for what adds a header of this name: the first one counts.",
    )
}

fn nothing_fits(request: &Examined<'_>, rules: &Rules<'_>, complete: bool) -> Finding {
    let count = rules.secrets.len();
    let secrets = if count == 1 {
        "the only secret that is known".to_owned()
    } else {
        format!("any of {count} secrets")
    };
    let mut message =
        format!("The signature does not fit {secrets}, whatever was supposed of the body and the timestamp.");
    if !complete {
        message.push_str(" Not everything was tried: the body is too large for that.");
    }
    let mut advice = format!(
        "Most likely the webhook's secret at Podium is not the one of the source `{}`: compare them, or set a new one in \
         both places. `lectern doctor --secret-file FILE` tries another one.",
        rules.source
    );
    if let Some(proxy) = evidence::proxy(request.headers) {
        advice.push_str(&format!(
            " The request came through a proxy (see its header {proxy}): if the secrets are the same, it changes the body."
        ));
    }
    Finding::new(Code::NothingFits, message, advice)
}
