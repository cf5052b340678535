//! The doctor: why a request is not accepted, and what to do about it.
//!
//! A signature that does not fit says nothing but that. The doctor has what the sender did not have: the secrets. So
//! it supposes, one after another, what usually goes wrong, and signs again: with the body as it may have been before
//! a proxy wrote it anew, with the timestamp in seconds, with the secret that another source has. The supposition with
//! which the signature fits is what happened; a signature does not fit by chance.
//!
//! A request is followed through the five steps of its verification, from the outermost in: [`Check`]. Where a step
//! fails in a way that leaves no doubt about what was meant (a header that was renamed, a signature in base64), the
//! next one goes on with what was meant, so that a person sees all there is to do at once. The first finding is the
//! one that explains the answer.
//!
//! Everything here is computed from arguments, without a clock and without I/O, and the work is bounded
//! ([`MAX_HASHED`], [`MAX_CHANGED`]). No secret, no signature and nothing of the body is in what is returned: whoever
//! reads a diagnosis can't forge a request with it.
//!
//! ```
//! use lectern::doctor::{Candidate, Code, Examined, Rules, Window, examine};
//! use lectern::model::Header;
//! use std::time::Duration;
//!
//! let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
//! let request = Examined {
//!     headers: &[
//!         header("podium-timestamp", "1620771659663"),
//!         header("podium-signature", "98b2531bd882d0b9b54799f396a8ebe60d5ed1319441a79af8e67e5006284326"),
//!     ],
//!     // An editor put a newline at the end.
//!     body: b"{\"data\":\"Data for the test webhook event :)\"}\n",
//!     received_at: "2021-05-11T22:21:00Z".parse()?,
//! };
//! let rules = Rules {
//!     source: "default",
//!     secrets: &[Candidate {
//!         source: Some("default".to_owned()),
//!         name: "current".to_owned(),
//!         value: "something-no-one-will-know".into(),
//!         expired: false,
//!     }],
//!     allow_unsigned: false,
//!     window: Window { max_age: Duration::from_secs(60), max_future: Duration::from_secs(60) },
//! };
//! let diagnosis = examine(&request, &rules);
//! assert!(!diagnosis.accepted());
//! assert_eq!(diagnosis.findings().next().map(|finding| finding.code), Some(Code::BodyNewline));
//! # Ok::<(), jiff::Error>(())
//! ```

// What goes in and what comes out
mod code;
mod diagnosis;
mod request;

// What the listener answers, whatever the reason
mod answer;

// The steps, in their order
mod headers;
mod timestamp;
mod signature;
mod secret;
mod window;

// What the signature may have been made of
mod body;
mod evidence;
mod fit;
mod key;
mod message;

mod encoded;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use code::Code;
pub use diagnosis::{Check, Diagnosis, Finding, Outcome, Step, Verifier};
pub use fit::{MAX_CHANGED, MAX_HASHED};
pub use request::{Candidate, Examined, Rules};
pub use window::Window;

/// Follows a request through its verification by a source's rules.
#[must_use]
pub fn examine(request: &Examined<'_>, rules: &Rules<'_>) -> Diagnosis {
    examine_within(request, rules, MAX_HASHED)
}

fn examine_within(request: &Examined<'_>, rules: &Rules<'_>, most: u64) -> Diagnosis {
    let (answer, verifier) = answer::of(request, rules);
    let verifier = verifier.map(|candidate| Verifier::of(&rules.secrets[candidate]));
    if answer == Answer::Accepted && verifier.is_none() {
        return unsigned(answer);
    }
    let headers = headers::look(request.headers);
    let timestamp = headers.timestamp.map(|text| timestamp::read(text, request.received_at, rules.window));
    let signature = headers.signature.map(signature::read);
    let (secret, fits) = secret::check(request, rules, timestamp.as_ref(), signature.as_ref(), most);
    // That it is late is worth saying of a genuine request alone.
    let signed_at = timestamp.as_ref().and_then(|timestamp| timestamp.instant).filter(|_| fits);
    let outcomes = [
        (Check::Headers, headers.outcome),
        (Check::Timestamp, timestamp.map_or(Outcome::NotReached, |read| read.outcome)),
        (Check::Signature, signature.map_or(Outcome::NotReached, |read| read.outcome)),
        (Check::Secret, secret),
        (
            Check::Window,
            signed_at.map_or(Outcome::NotReached, |at| rules.window.check(at, request.received_at)),
        ),
    ];
    let steps = outcomes.map(|(check, outcome)| Step { check, outcome }).into();
    Diagnosis { answer, verifier, steps }
}

/// A request that nobody signed, and that needs no signature.
fn unsigned(answer: Answer) -> Diagnosis {
    let first = Step {
        check: Check::Headers,
        outcome: Outcome::passed("the source takes requests without a signature (`allow_unsigned`)"),
    };
    let rest = [Check::Timestamp, Check::Signature, Check::Secret, Check::Window]
        .map(|check| Step { check, outcome: Outcome::NotReached });
    Diagnosis { answer, verifier: None, steps: [first].into_iter().chain(rest).collect() }
}
