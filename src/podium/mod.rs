//! Podium's protocol.

/// Placeholder until the room lands.
pub struct Decoded;

/// Placeholder until the room lands.
#[must_use]
pub fn decode(_body: &[u8]) -> Decoded {
    Decoded
}
