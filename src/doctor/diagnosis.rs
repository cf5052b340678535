//! What the doctor says.

use serde::Serialize;

use super::{Answer, Candidate, Code};

/// What became of a request, step by step.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// What the public listener answers to it.
    pub answer: Answer,
    /// The secret that verifies it, when it is accepted for its signature.
    pub verifier: Option<Verifier>,
    /// The five steps, in their order.
    pub steps: Vec<Step>,
}

impl Diagnosis {
    /// Whether the request is accepted.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.answer == Answer::Accepted
    }

    /// Everything that is wrong, the outermost first: that one explains the answer. There is one at least when the
    /// request is not accepted, and none when it is.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().flat_map(|step| match &step.outcome {
            Outcome::Failed { findings } => findings.as_slice(),
            Outcome::Passed { .. } | Outcome::NotReached => &[],
        })
    }
}

/// The name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifier {
    /// The source that it belongs to.
    pub source: Option<String>,
    /// What it is called there.
    pub name: String,
}

impl Verifier {
    pub(super) fn of(candidate: &Candidate) -> Self {
        Self { source: candidate.source.clone(), name: candidate.name.clone() }
    }
}

/// A step of the verification.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Which one.
    pub check: Check,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The steps of the verification, from the outermost in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Both headers are there.
    Headers,
    /// The timestamp is Unix milliseconds.
    Timestamp,
    /// The signature is 64 hexadecimal characters.
    Signature,
    /// One of the source's secrets gives this signature over this timestamp and this body.
    Secret,
    /// The timestamp is neither too old nor in the future.
    Window,
}

impl Check {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Timestamp => "timestamp",
            Self::Signature => "signature",
            Self::Secret => "secret",
            Self::Window => "window",
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All is well.
    Passed {
        /// What was found, in a few words.
        note: String,
    },
    /// Something is wrong.
    Failed {
        /// What, at least one.
        findings: Vec<Finding>,
    },
    /// An earlier step failed in a way that leaves nothing to look at.
    NotReached,
}

impl Outcome {
    pub(super) fn passed(note: impl Into<String>) -> Self {
        Self::Passed { note: note.into() }
    }

    /// Failed, unless nothing was found.
    pub(super) fn of(findings: Vec<Finding>, note: impl Into<String>) -> Self {
        if findings.is_empty() { Self::passed(note) } else { Self::Failed { findings } }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its name for programs.
    pub code: Code,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it, in sentences.
    pub advice: String,
}

impl Finding {
    pub(super) fn new(code: Code, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code, message: message.into(), advice: advice.into() }
    }
}
