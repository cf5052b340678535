//! A diagnosis for people, and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::Case;
use crate::doctor::{Answer, Check, Code, Diagnosis, Outcome};
use crate::model::{QuarantineId, Quarantined};

/// Where a request is from, and so from where it is known when it was received.
pub(super) enum Origin {
    /// It was given by hand, and so was the moment.
    AsSaid,
    /// It was given by hand without a moment, so the present one is taken.
    Now,
    /// It is kept in quarantine, with the moment.
    Quarantine(Quarantined),
}

/// Which request it is, the steps, the verdict, and what to do.
pub(super) fn text(diagnosis: &Diagnosis, origin: &Origin, is_terminal: bool) -> String {
    let [passed, failed, not_reached] =
        if is_terminal { ["✓", "✗", "–"] } else { ["ok", "wrong", "-"] };
    let mut shown = String::new();
    if let Origin::Quarantine(request) = origin {
        shown.push_str(&name(request));
        shown.push_str("\n\n");
    }
    let mut line = |mark: &str, check: Check, words: &str| {
        let width = if is_terminal { 1 } else { 5 };
        // Writing to a string can't fail.
        let _ = writeln!(shown, "{}", format!("{mark:width$}  {:9}  {words}", check.as_str()).trim_end());
    };
    for step in &diagnosis.steps {
        match &step.outcome {
            Outcome::Passed { note } => line(passed, step.check, note),
            Outcome::Failed { findings } => {
                findings.iter().for_each(|finding| line(failed, step.check, &finding.message));
            }
            Outcome::NotReached => line(not_reached, step.check, ""),
        }
    }
    shown.push('\n');
    shown.push_str(&verdict(diagnosis));
    shown.push('\n');
    let mut advice: Vec<&str> = Vec::new();
    for finding in diagnosis.findings() {
        let is_of_the_window = matches!(finding.code, Code::TimestampTooOld | Code::TimestampInFuture);
        if is_of_the_window && matches!(origin, Origin::Now) {
            advice.push("If it was not received just now, say when it was: --at TIME.");
        }
        if !advice.contains(&finding.advice.as_str()) {
            advice.push(&finding.advice);
        }
    }
    if diagnosis.accepted() && matches!(origin, Origin::Quarantine(_)) {
        advice.push(RELEASE);
    }
    if !advice.is_empty() {
        shown.push_str("\nWhat to do:\n");
    }
    for advice in advice {
        let _ = writeln!(shown, "- {advice}");
    }
    shown
}

/// What to do with one that failed once and does not any more.
const RELEASE: &str = "It failed when it was received, and passes with the configuration of now: if the server runs with that, \
                       POST /api/v1/quarantine/release makes an event of it.";

fn name(request: &Quarantined) -> String {
    let Quarantined { id, source, received_at, reason, held, .. } = request;
    let answer = if *held { format!("200, and held for {reason}") } else { format!("401 {reason}") };
    format!(
        "Request {id} in quarantine: to the source `{source}`, received at {received_at}, answered {answer}"
    )
}

fn verdict(diagnosis: &Diagnosis) -> String {
    let findings: Vec<_> = diagnosis.findings().collect();
    match (diagnosis.answer, &diagnosis.verifier, findings.as_slice()) {
        (Answer::Accepted, Some(verifier), _) => {
            let source = verifier.source.as_deref().unwrap_or_default();
            format!("Accepted: the secret `{}` of the source `{source}` fits.", verifier.name)
        }
        (Answer::Accepted, None, _) => "Accepted without a signature: anybody may have sent it.".to_owned(),
        (answer, _, [finding]) => format!("Not accepted (401 {}). {}", answer.as_str(), finding.message),
        (answer, _, several) => format!(
            "Not accepted (401 {}): {} things are wrong, and the first may explain the others.",
            answer.as_str(),
            several.len()
        ),
    }
}

/// One line of JSON.
pub(super) fn json(diagnosis: &Diagnosis, case: &Case) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Kept<'a> {
        id: QuarantineId,
        reason: &'a str,
        held: bool,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        accepted: bool,
        /// The code of the first finding.
        code: Option<Code>,
        source: &'a str,
        received_at: Timestamp,
        /// Null for one that was given by hand.
        quarantined: Option<Kept<'a>>,
        #[serde(flatten)]
        diagnosis: &'a Diagnosis,
    }
    let code = diagnosis.findings().next().map(|finding| finding.code);
    let quarantined = match &case.origin {
        Origin::Quarantine(Quarantined { id, reason, held, .. }) => {
            Some(Kept { id: *id, reason, held: *held })
        }
        Origin::AsSaid | Origin::Now => None,
    };
    let shown = Shown {
        accepted: diagnosis.accepted(),
        code,
        source: &case.source,
        received_at: case.received_at,
        quarantined,
        diagnosis,
    };
    serde_json::to_string(&shown).expect("a diagnosis has texts and names only, and these are always JSON")
}
