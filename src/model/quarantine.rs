//! What failed verification and is kept all the same, so that nothing is lost to a wrong secret.

use jiff::Timestamp;

use super::{Content, QuarantineId};

/// A request in quarantine, without what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Our name for the request; its order is the order of `received_at`.
    pub id: QuarantineId,
    /// The source that it came in by.
    pub source: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Why it was not accepted, as it is (or would have been) told to the sender, such as `signature_mismatch`.
    pub reason: String,
    /// Whether it was answered 200, so that nobody sends it again.
    pub held: bool,
    /// The length of the body, in bytes.
    pub size: u64,
}

/// A request in quarantine, or on its way there, with what arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedRequest {
    /// What is known of it.
    pub request: Quarantined,
    /// What arrived, byte for byte.
    pub content: Content,
}

impl QuarantinedRequest {
    /// What the request counts against [`QuarantineBounds::bytes`]: its body and its headers.
    #[must_use]
    pub fn weight(&self) -> u64 {
        let headers = self.content.headers.iter().map(|header| header.name.len() + header.value.len());
        (self.content.body.len() + headers.sum::<usize>()) as u64
    }
}

/// How many requests of one source are in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InQuarantine {
    /// The source that they came in by.
    pub source: String,
    /// How many were answered 200, so that nobody sends them again.
    pub held: u64,
    /// How many were rejected.
    pub rejected: u64,
}

/// How much the quarantine holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantineBounds {
    /// How many requests at most.
    pub requests: u32,
    /// How much they may [weigh](QuarantinedRequest::weight) together, in bytes.
    pub bytes: u64,
    /// How many of them one source may hold at most.
    pub held_requests_each: u32,
    /// How much of that one source may hold at most, in bytes.
    pub held_bytes_each: u64,
}

impl QuarantineBounds {
    /// So much, all of which one source may hold.
    #[must_use]
    pub const fn new(requests: u32, bytes: u64) -> Self {
        Self { requests, bytes, held_requests_each: requests, held_bytes_each: bytes }
    }

    /// The same, of which one source may hold no more than half.
    #[must_use]
    pub const fn half_each(self) -> Self {
        Self {
            held_requests_each: self.requests.div_ceil(2),
            held_bytes_each: self.bytes.div_ceil(2),
            ..self
        }
    }
}

/// Which requests in quarantine are meant: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// It came in by this source.
    pub source: Option<String>,
    /// It was not accepted for this reason.
    pub reason: Option<String>,
    /// It arrived at this moment or later.
    pub received_after: Option<Timestamp>,
    /// It arrived before this moment.
    pub received_before: Option<Timestamp>,
}

/// What became of requests that were verified again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// How many were looked at.
    pub examined: u64,
    /// How many became events.
    pub released: u64,
    /// How many are events already: they came again and were accepted, or were released before.
    pub duplicates: u64,
    /// How many still fail, and stay.
    pub still_unverified: u64,
    /// Whether all were looked at; if not, there was no time for the rest.
    pub complete: bool,
}
