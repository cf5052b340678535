//! How an event is followed through systems, in the terms of W3C Trace Context: worked out of identifiers, so that nothing needs to be
//! kept for it.

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

    /// An attempt of a delivery of the event, whose number begins with 1.
    #[must_use]
    pub fn of_attempt(event: EventId, delivery: DeliveryId, number: u32) -> Self {
        let digest =
            Sha256::new().chain_update(delivery.as_uuid().as_bytes()).chain_update(number.to_be_bytes());
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

    /// Reads such a header; none when it is none, or of a form that is not known.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        hex::decode_to_slice(trace, &mut trace_id).ok()?;
        hex::decode_to_slice(span, &mut span_id).ok()?;
        (version == "00" && trace_id != [0; 16] && span_id != [0; 8]).then_some(Self { trace_id, span_id })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn all_steps_of_an_event_are_of_one_trace_and_each_is_another() {
        let (event, delivery) = (EventId::at(Timestamp::UNIX_EPOCH), DeliveryId::at(Timestamp::UNIX_EPOCH));
        let receipt = TraceContext::of_receipt(event);
        let attempts = [1, 2].map(|number| TraceContext::of_attempt(event, delivery, number));
        assert!(attempts.iter().all(|attempt| attempt.trace_id == receipt.trace_id));
        assert!(
            attempts[0] != attempts[1] && attempts.iter().all(|attempt| attempt.span_id != receipt.span_id)
        );
        assert_eq!(attempts[0], TraceContext::of_attempt(event, delivery, 1));
        assert_ne!(receipt.trace_id, TraceContext::of_receipt(EventId::at(Timestamp::UNIX_EPOCH)).trace_id);
    }

    #[test]
    fn a_header_is_read_as_it_is_written_and_nothing_else_is() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::read(header).map(|context| context.parent(true)).as_deref(), Some(header));
        for text in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-zbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::read(text), None, "{text}");
        }
    }
}
