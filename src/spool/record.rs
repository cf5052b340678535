//! One event as bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | how long the rest is, after the checksum (little-endian, as all numbers here) |
//! | 4 | CRC-32 of the rest |
//! | 4 | how long the description is |
//! | … | the description: JSON, so that a later version can say more and still read this |
//! | … | the body, byte for byte |

use std::io::{self, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Arrival, Content, EventId, Header};

/// The length and the checksum.
pub(super) const HEAD: usize = 8;

/// More than any record has: a body may have 64 MiB, and headers are far smaller. A length beyond it is no length.
pub(super) const LONGEST: u32 = 96 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    id: EventId,
    source: String,
    received_at: Timestamp,
    verified_by: Option<String>,
    headers: Vec<Header>,
}

/// Adds an event to `bytes`.
pub(super) fn write(arrival: &Arrival, bytes: &mut Vec<u8>) {
    let description = Description {
        id: arrival.id,
        source: arrival.source.clone(),
        received_at: arrival.received_at,
        verified_by: arrival.verified_by.clone(),
        headers: arrival.content.headers.clone(),
    };
    let description =
        serde_json::to_vec(&description).expect("texts and times can always be written as JSON");
    let start = bytes.len();
    bytes.extend([0; HEAD]);
    bytes.extend(length(description.len()).to_le_bytes());
    bytes.extend(description);
    bytes.extend_from_slice(&arrival.content.body);
    let rest = &bytes[start + HEAD..];
    let (length, checksum) = (length(rest.len()), crc32fast::hash(rest));
    bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
    bytes[start + 4..start + HEAD].copy_from_slice(&checksum.to_le_bytes());
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("the listener takes no request that is this long")
}

/// Whether the event that stands at the beginning of `from` would take more than the `available` bytes.
pub(super) fn reaches_beyond(from: &mut impl Read, available: u64) -> io::Result<bool> {
    let mut head = [0; HEAD];
    if available < HEAD as u64 || !fill(from, &mut head)? {
        return Ok(true);
    }
    let length = number(&head[..4]);
    Ok((4..=LONGEST).contains(&length) && u64::from(length) > available - HEAD as u64)
}

/// Reads the event that stands at the beginning of `from`, of which `available` bytes are there, and says how many it
/// takes. None when no whole event stands there.
///
/// # Errors
/// When reading fails, not when what was read is no event.
pub(super) fn read(from: &mut impl Read, available: u64) -> io::Result<Option<(Arrival, u64)>> {
    let mut head = [0; HEAD];
    if available < HEAD as u64 || !fill(from, &mut head)? {
        return Ok(None);
    }
    let [length, checksum] = [number(&head[..4]), number(&head[4..])];
    if !(4..=LONGEST).contains(&length) || u64::from(length) > available - HEAD as u64 {
        return Ok(None);
    }
    let mut rest = vec![0; length as usize];
    if !fill(from, &mut rest)? || crc32fast::hash(&rest) != checksum {
        return Ok(None);
    }
    Ok(parse(rest).map(|arrival| (arrival, HEAD as u64 + u64::from(length))))
}

/// Where the first whole event begins.
pub(super) fn find(bytes: &[u8]) -> Option<usize> {
    let is_whole = |place: &usize| {
        let mut from = &bytes[*place..];
        let available = from.len() as u64;
        // A description is a JSON object: that tells most places from a beginning without a checksum.
        from.get(HEAD + 4) == Some(&b'{') && matches!(read(&mut from, available), Ok(Some(_)))
    };
    (0..bytes.len()).find(is_whole)
}

/// Whether there was enough to fill all of it.
fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn parse(rest: Vec<u8>) -> Option<Arrival> {
    let rest = bytes::Bytes::from(rest);
    let end = 4 + number(&rest[..4]) as usize;
    let description: Description = serde_json::from_slice(rest.get(4..end)?).ok()?;
    let Description { id, source, received_at, verified_by, headers } = description;
    let content = Content { headers, body: rest.slice(end..) };
    Some(Arrival { id, source, received_at, verified_by, content })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arrival(body: Vec<u8>, headers: Vec<(String, String)>, verified_by: Option<String>) -> Arrival {
        let received_at = Timestamp::from_microsecond(1_620_771_659_663_001).unwrap();
        let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        let content = Content { headers, body: body.into() };
        Arrival {
            id: EventId::at(received_at),
            source: "default".to_owned(),
            received_at,
            verified_by,
            content,
        }
    }

    prop_compose! {
        fn any_arrival()(
            body: Vec<u8>,
            headers in prop::collection::vec((".{0,8}", ".{0,20}"), 0..4),
            verified_by: Option<String>,
        ) -> Arrival {
            arrival(body, headers, verified_by)
        }
    }

    fn read_all(bytes: &[u8]) -> Option<(Arrival, u64)> {
        read(&mut &bytes[..], bytes.len() as u64).unwrap()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(arrivals in prop::collection::vec(any_arrival(), 0..5)) {
            let mut bytes = Vec::new();
            for arrival in &arrivals {
                write(arrival, &mut bytes);
            }
            let mut rest = &bytes[..];
            for arrival in arrivals {
                let Some((read, taken)) = read_all(rest) else {
                    return Err(TestCaseError::fail("no whole event"));
                };
                prop_assert_eq!(read, arrival);
                rest = &rest[usize::try_from(taken).unwrap()..];
            }
            prop_assert_eq!(read_all(rest), None);
        }

        #[test]
        fn an_event_that_was_cut_short_is_none(arrival in any_arrival(), at: prop::sample::Index) {
            let mut bytes = Vec::new();
            write(&arrival, &mut bytes);
            bytes.truncate(at.index(bytes.len()));
            prop_assert_eq!(read_all(&bytes), None);
        }

        #[test]
        fn one_changed_byte_is_noticed(arrival in any_arrival(), at: prop::sample::Index, by in 1_u8..) {
            let mut bytes = Vec::new();
            write(&arrival, &mut bytes);
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert_eq!(read_all(&bytes), None);
        }

        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            prop_assert_eq!(read_all(&bytes), None);
        }

        #[test]
        fn a_whole_event_is_found_behind_anything(before: Vec<u8>, arrival in any_arrival()) {
            let mut bytes = before.clone();
            write(&arrival, &mut bytes);
            prop_assert_eq!(find(&bytes), Some(before.len()));
        }
    }

    #[test]
    fn zeros_are_no_event() {
        // What a file system may leave where a write had made room and not come to the bytes.
        assert_eq!(read_all(&[0; 4096]), None);
    }
}
