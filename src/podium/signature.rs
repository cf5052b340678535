//! Podium's signature: HMAC-SHA256, keyed with the webhook's secret, over the timestamp header's value exactly
//! as sent, a full stop, and the raw body. The digest travels as 64 hexadecimal characters without a prefix.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;

/// The header with the time of signing, in Unix milliseconds.
pub const TIMESTAMP_HEADER: &str = "podium-timestamp";

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "podium-signature";

/// A webhook's secret, ready to sign and to verify with.
///
/// It holds the state of an HMAC that has taken in the key already: a request clones that instead of hashing
/// the key again.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Makes the key from the secret as it was given to Podium: its UTF-8 bytes are the key, nothing is
    /// decoded or cut off. A secret may have any length.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length"))
    }

    /// Signs a body. `timestamp` is the value of the [timestamp header](TIMESTAMP_HEADER), byte for byte.
    #[must_use]
    pub fn sign(&self, timestamp: &[u8], body: &[u8]) -> Signature {
        let mut mac = self.0.clone();
        mac.update(timestamp);
        mac.update(b".");
        mac.update(body);
        Signature(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(hidden)")
    }
}

/// Tells which of several keys made the signature: its place in `keys`, the first if several are equal.
///
/// While a secret is being replaced, events signed with the old one still arrive, so a receiver tries both.
/// Every key is tried and every comparison runs to its end, whatever matches: how long it takes tells neither
/// which key it was nor how much of a forged signature was right.
#[must_use]
pub fn verify<'k>(
    keys: impl IntoIterator<Item = &'k SigningKey>,
    timestamp: &[u8],
    body: &[u8],
    signature: &Signature,
) -> Option<usize> {
    let mut found = Choice::from(0);
    let mut place = 0_u64;
    for (key, candidate) in keys.into_iter().zip(0_u64..) {
        let equal = key.sign(timestamp, body).0.ct_eq(&signature.0);
        place.conditional_assign(&candidate, equal & !found);
        found |= equal;
    }
    if bool::from(found) { usize::try_from(place).ok() } else { None }
}

/// The 32 bytes of a signature. Compared in constant time; printed as Podium writes it, in lower case.
#[derive(Clone, Copy)]
pub struct Signature([u8; 32]);

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Signature {}

impl FromStr for Signature {
    type Err = SignatureError;

    /// Reads 64 hexadecimal characters of either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(hex::FromHexError::InvalidHexCharacter { index, .. }) => {
                Err(SignatureError::NotHexadecimal { place: index + 1 })
            }
            Err(hex::FromHexError::OddLength | hex::FromHexError::InvalidStringLength) => {
                Err(SignatureError::WrongLength { found: text.len() })
            }
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({self})")
    }
}

/// Why a text is no signature. It never repeats the text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It is too short or too long.
    #[error("a signature has 64 hexadecimal characters, this one has {found} bytes")]
    WrongLength {
        /// The length in bytes.
        found: usize,
    },
    /// It has a character other than `0-9`, `a-f` and `A-F`.
    #[error("a signature has hexadecimal characters only, and byte {place} of this one is none")]
    NotHexadecimal {
        /// The place of the first such character, in bytes, counted from 1.
        place: usize,
    },
}

/// Reads the value of the [timestamp header](TIMESTAMP_HEADER): Unix milliseconds in ASCII digits.
///
/// # Errors
/// When it has anything but digits, or is a time later than the year 9999.
pub fn parse_timestamp(value: &str) -> Result<Timestamp, TimestampError> {
    // `parse` alone would take a sign too.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TimestampError::NotDigits);
    }
    let milliseconds = value.parse().map_err(|_| TimestampError::OutOfRange)?;
    Timestamp::from_millisecond(milliseconds).map_err(|_| TimestampError::OutOfRange)
}

/// Why a text is no timestamp. It never repeats the text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TimestampError {
    /// It is empty or has something other than digits.
    #[error("a timestamp is Unix milliseconds in digits only, such as 1620771659663")]
    NotDigits,
    /// It is a number beyond the year 9999.
    #[error("a timestamp is Unix milliseconds, and this one lies beyond the year 9999")]
    OutOfRange,
}

#[cfg(test)]
mod tests;
