//! What is sent: which samples, and each as an event of its own.

use bytes::Bytes;

use super::Arguments;
use crate::cli::failure::Failure;
use crate::config::nearest;
use crate::model::TypePattern;
use crate::podium::EventType;
use crate::podium::samples::{self, Fresh};

/// One of the things that are sent in turn.
#[derive(Clone, Debug)]
pub(super) enum Sample {
    /// The sample of a type, each time as an event of its own.
    Event(EventType),
    /// Bytes that are sent as they are.
    Bytes(String, Bytes),
}

impl Sample {
    /// What it is called in the report.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Event(event_type) => event_type.as_str(),
            Self::Bytes(name, _) => name,
        }
    }

    /// The body of a request, made an event of its own by `fresh`.
    pub(super) fn body(&self, fresh: impl FnOnce() -> Fresh) -> Bytes {
        match self {
            Self::Event(event_type) => samples::fresh(event_type, &fresh()).unwrap_or_default().into(),
            Self::Bytes(_, bytes) => bytes.clone(),
        }
    }
}

/// The samples that the arguments ask for; at least one.
pub(super) fn chosen(arguments: &Arguments) -> Result<Vec<Sample>, Failure> {
    if arguments.all {
        return Ok(known().cloned().map(Sample::Event).collect());
    }
    if arguments.test {
        return Ok(vec![Sample::Bytes(
            "Send Test".to_owned(),
            Bytes::from_static(samples::SEND_TEST.as_bytes()),
        )]);
    }
    if let Some(path) = &arguments.file {
        let shown = path.display();
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::failed(format!("{shown} can't be read: {error}")))?;
        return Ok(vec![Sample::Bytes(shown.to_string(), bytes.into())]);
    }
    let chosen: Result<Vec<Vec<Sample>>, Failure> =
        arguments.types.iter().map(|text| fitting(text)).collect();
    Ok(chosen?.into_iter().flatten().collect())
}

fn fitting(text: &str) -> Result<Vec<Sample>, Failure> {
    let pattern: TypePattern = text.parse().map_err(|error| Failure::usage(format!("{text:?}: {error}")))?;
    let fitting: Vec<_> = known().filter(|known| pattern.matches(known.as_str())).collect();
    if fitting.is_empty() {
        return Err(Failure::Usage(unknown(text)));
    }
    Ok(fitting.into_iter().cloned().map(Sample::Event).collect())
}

fn known() -> impl Iterator<Item = &'static EventType> {
    EventType::ALL.iter()
}

/// Names the nearest type, and lists all: `message.` once, with what can follow.
fn unknown(text: &str) -> String {
    let near = nearest(text, known().map(EventType::as_str));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let mut sentence = format!("there is no event type `{text}`{hint}\n\nThe types are");
    let mut group = "";
    for known in known() {
        let (of, what) = known.as_str().split_once('.').unwrap_or((known.as_str(), ""));
        if of != group {
            sentence.push_str(&format!("\n  {of:<8}"));
            group = of;
        }
        sentence.push_str(&format!(" .{what}"));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_does_not_exist_brings_the_nearest_one_and_the_list() {
        insta::assert_snapshot!(unknown("message.recieved"), @"
        there is no event type `message.recieved`; did you mean `message.received`?

        The types are
          contact  .created .updated .deleted .merged .unchanged
          invoice  .created .disabled .marked_as_paid .payment_created .payment_failed .payment_succeeded .refund_created .refund_failed
          message  .received .sent .failed
          review   .created .updated .invite_link_created .invite_link_updated .response_created .response_updated
          call     .received .completed .missed .voicemail_left
        ");
    }

    #[test]
    fn a_pattern_stands_for_every_type_that_fits_it() {
        let names =
            |text: &str| fitting(text).unwrap().iter().map(|s| s.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names("message.*"), ["message.received", "message.sent", "message.failed"]);
        assert_eq!(names("call.missed"), ["call.missed"]);
        assert!(matches!(fitting("nothing.*"), Err(Failure::Usage(_))));
    }
}
