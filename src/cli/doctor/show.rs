//! A diagnosis for people, and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::doctor::{Answer, Check, Code, Diagnosis, Outcome};

/// From where it is known when a request was received.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Received {
    /// It was said.
    AsSaid,
    /// Nothing was said, so the present moment is taken.
    Now,
}

/// The steps, the verdict, and what to do.
pub(super) fn text(diagnosis: &Diagnosis, received: Received, is_terminal: bool) -> String {
    let [passed, failed, not_reached] =
        if is_terminal { ["✓", "✗", "–"] } else { ["ok", "wrong", "-"] };
    let mut shown = String::new();
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
        if is_of_the_window && received == Received::Now {
            advice.push("If it was not received just now, say when it was: --at TIME.");
        }
        if !advice.contains(&finding.advice.as_str()) {
            advice.push(&finding.advice);
        }
    }
    if !advice.is_empty() {
        shown.push_str("\nWhat to do:\n");
    }
    for advice in advice {
        let _ = writeln!(shown, "- {advice}");
    }
    shown
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
pub(super) fn json(diagnosis: &Diagnosis, source: &str, received_at: Timestamp) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        accepted: bool,
        /// The code of the first finding.
        code: Option<Code>,
        source: &'a str,
        received_at: Timestamp,
        #[serde(flatten)]
        diagnosis: &'a Diagnosis,
    }
    let code = diagnosis.findings().next().map(|finding| finding.code);
    let shown = Shown { accepted: diagnosis.accepted(), code, source, received_at, diagnosis };
    serde_json::to_string(&shown).expect("a diagnosis has texts and names only, and these are always JSON")
}
