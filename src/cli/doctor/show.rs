//! A diagnosis for people, and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::doctor::{Answer, Check, Diagnosis, Outcome};

/// The steps, the verdict, and what to do.
pub(super) fn text(diagnosis: &Diagnosis, is_terminal: bool) -> String {
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
    match (diagnosis.answer, &diagnosis.verifier, diagnosis.findings().next()) {
        (Answer::Accepted, Some(verifier), _) => {
            let source = verifier.source.as_deref().unwrap_or_default();
            format!("Accepted: the secret `{}` of the source `{source}` fits.", verifier.name)
        }
        (Answer::Accepted, None, _) => "Accepted without a signature: anybody may have sent it.".to_owned(),
        (answer, _, Some(finding)) => {
            format!("Not accepted (401 {}). {}", answer.as_str(), finding.message)
        }
        (answer, _, None) => format!("Not accepted (401 {}).", answer.as_str()),
    }
}

/// One line of JSON.
pub(super) fn json(diagnosis: &Diagnosis, source: &str, received_at: Timestamp) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        accepted: bool,
        /// The code of the first finding.
        code: Option<crate::doctor::Code>,
        source: &'a str,
        received_at: Timestamp,
        #[serde(flatten)]
        diagnosis: &'a Diagnosis,
    }
    let code = diagnosis.findings().next().map(|finding| finding.code);
    let shown = Shown { accepted: diagnosis.accepted(), code, source, received_at, diagnosis };
    serde_json::to_string(&shown).expect("a diagnosis has texts and names only, and these are always JSON")
}
