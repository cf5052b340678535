//! How an event is followed through systems, in the terms of W3C Trace Context: worked out of identifiers, so that nothing needs to be
//! kept for it.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{DeliveryId, EventId};

/// A step on the way of an event. All steps of one event have one trace, whichever process takes them and however much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Names the trace: random in all its bytes, as samplers expect.
    pub trace_id: [u8; 16],
    /// Names the step.
    pub span_id: [u8; 8],
}

impl TraceContext {
    /// The first step of an event: its receipt.
    #[must_use]
    pub fn of_receipt(event: EventId) -> Self {
        let digest = Sha256::digest(event.as_uuid().as_bytes());
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        trace_id.copy_from_slice(&digest[..16]);
        span_id.copy_from_slice(&digest[16..24]);
        Self { trace_id, span_id }
    }

    /// An attempt of a delivery of the event that began at this moment: two of one number, of which the first ended with its process, are two.
    #[must_use]
    pub fn of_attempt(event: EventId, delivery: DeliveryId, started_at: Timestamp) -> Self {
        let digest = Sha256::new()
            .chain_update(delivery.as_uuid().as_bytes())
            .chain_update(started_at.as_microsecond().to_be_bytes());
        let mut span_id = [0; 8];
        span_id.copy_from_slice(&digest.finalize()[..8]);
        Self { span_id, ..Self::of_receipt(event) }
    }

    /// The context as the header `traceparent` has it.
    #[must_use]
    pub fn parent(self, is_sampled: bool) -> String {
        let (trace, span) = (hex::encode(self.trace_id), hex::encode(self.span_id));
        format!("00-{trace}-{span}-{:02x}", u8::from(is_sampled))
    }

    /// Reads such a header, with whether the step is among those that are kept; none when it is none, or of a form that is not known.
    #[must_use]
    pub fn read(header: &str) -> Option<(Self, bool)> {
        let parts: Vec<&str> = header.split('-').collect();
        let ["00", trace, span, flags] = parts[..] else { return None };
        let is_hex =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if ![trace, span, flags].into_iter().all(is_hex) {
            return None;
        }
        let (mut trace_id, mut span_id, mut flag) = ([0; 16], [0; 8], [0]);
        hex::decode_to_slice(trace, &mut trace_id).ok()?;
        hex::decode_to_slice(span, &mut span_id).ok()?;
        hex::decode_to_slice(flags, &mut flag).ok()?;
        let is_one = trace_id != [0; 16] && span_id != [0; 8];
        is_one.then_some((Self { trace_id, span_id }, flag[0] & 1 == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_of_an_event_are_of_one_trace_and_each_is_another() {
        let (event, delivery) = (EventId::at(Timestamp::UNIX_EPOCH), DeliveryId::at(Timestamp::UNIX_EPOCH));
        let receipt = TraceContext::of_receipt(event);
        let at = |second| Timestamp::from_second(second).unwrap();
        let attempts = [1, 2].map(|second| TraceContext::of_attempt(event, delivery, at(second)));
        assert!(attempts.iter().all(|attempt| attempt.trace_id == receipt.trace_id));
        assert!(
            attempts[0] != attempts[1] && attempts.iter().all(|attempt| attempt.span_id != receipt.span_id)
        );
        assert_eq!(attempts[0], TraceContext::of_attempt(event, delivery, at(1)));
        assert_ne!(receipt.trace_id, TraceContext::of_receipt(EventId::at(Timestamp::UNIX_EPOCH)).trace_id);
    }

    #[test]
    fn a_header_is_read_as_it_is_written_and_nothing_else_is() {
        for (header, kept) in [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
        ] {
            let (context, is_sampled) = TraceContext::read(header).unwrap();
            assert_eq!((context.parent(is_sampled).as_str(), is_sampled), (header, kept));
        }
        for text in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-zbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",
        ] {
            assert_eq!(TraceContext::read(text), None, "{text}");
        }
    }
}
