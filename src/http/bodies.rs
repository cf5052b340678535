//! Reading bodies whole, within bounds: of size, of time, and of the memory that all of them take together.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::drain;

/// Up to this size a body is read whatever else is going on: Podium's events have 1 to 4 KB, and must not suffer from
/// somebody who sends large ones. Each connection has one body at most, so all of these are bounded, too.
const SMALL: usize = 64 * 1024;

/// How much memory all bodies together may take beyond that, in bytes. Without a bound, the largest body on every connection
/// would be 4 GiB, as things are set by default.
const TOGETHER: usize = 64 * 1024 * 1024;

/// How long a body may take, from its headers on. Podium waits 5 seconds for the answer: whoever takes longer is slow on
/// purpose, or has given up.
const WITHIN: Duration = Duration::from_secs(10);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is larger than it may be.
    #[error("the body is too large")]
    TooLarge,
    /// It was not complete in time.
    #[error("the body took too long")]
    TooSlow,
    /// It is a large one, and others take all the memory that there is for those.
    #[error("too many large bodies at once")]
    Busy,
    /// The connection broke, or it is not what its headers say.
    #[error("the body is not complete")]
    Incomplete,
}

/// Reads bodies. All that must share the memory are read by one of these.
#[derive(Debug)]
pub struct Bodies {
    limit: usize,
    within: Duration,
    room: Arc<Semaphore>,
}

impl Bodies {
    /// Reads bodies of up to `limit` bytes each.
    #[must_use]
    pub fn up_to(limit: usize) -> Self {
        // With less than one body's, the largest could never be read.
        let room = TOGETHER.max(limit);
        Self { limit, within: WITHIN, room: Arc::new(Semaphore::new(room)) }
    }

    /// The size of the largest body that is read, in bytes.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Reads a whole body. Its memory counts until the last clone of the bytes is dropped.
    ///
    /// # Errors
    /// When it is larger or slower than it may be, when there is no room for it now, or when it breaks off. The connection
    /// is of no use then: what is left of the body may not have been read.
    pub async fn read(&self, mut body: Body) -> Result<Bytes, Unread> {
        // A body that says it is too long need not be waited for.
        let read = if body.size_hint().lower() > self.limit as u64 {
            Err(Unread::TooLarge)
        } else {
            timeout(self.within, self.gather(&mut body)).await.unwrap_or(Err(Unread::TooSlow))
        };
        if let Err(Unread::TooLarge | Unread::Busy) = read {
            drain(body).await;
        }
        read
    }

    async fn gather(&self, body: &mut Body) -> Result<Bytes, Unread> {
        // Copied, as a frame keeps the whole buffer alive that the connection read into, and a sender may cut a body into
        // frames of one byte each.
        let mut whole = Vec::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Unread::Incomplete)?.into_data() else { continue };
            let length = whole.len() + data.len();
            if length > self.limit {
                return Err(Unread::TooLarge);
            }
            // As bytes come, and not as they are announced: announcing costs nothing.
            let beyond = length.saturating_sub(SMALL.max(whole.len()));
            if beyond > 0 {
                let more = self.take(beyond)?;
                match &mut room {
                    Some(room) => room.merge(more),
                    none => *none = Some(more),
                }
            }
            whole.extend_from_slice(&data);
        }
        Ok(match room {
            Some(room) => Bytes::from_owner(Large { bytes: whole, _room: room }),
            None => whole.into(),
        })
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Unread> {
        let bytes = u32::try_from(bytes).map_err(|_| Unread::TooLarge)?;
        // Nobody waits here, with a part of the room in hand, for what others hold who wait for the same.
        Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| Unread::Busy)
    }
}

/// A large body, with its share of the memory.
struct Large {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::io;

    const KIB: usize = 1024;

    fn bodies(limit: usize, room: usize) -> Bodies {
        Bodies { limit, within: Duration::from_secs(60), room: Arc::new(Semaphore::new(room)) }
    }

    /// A body that comes in these parts, and then goes on for ever or is complete.
    fn in_parts(parts: &[usize], complete: bool) -> Body {
        let parts: Vec<_> =
            parts.iter().map(|part| Ok::<_, io::Error>(Bytes::from(vec![b'x'; *part]))).collect();
        let rest =
            stream::poll_fn(
                move |_| if complete { std::task::Poll::Ready(None) } else { std::task::Poll::Pending },
            );
        Body::from_stream(futures_util::StreamExt::chain(stream::iter(parts), rest))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit_and_no_further() {
        let bodies = bodies(10, 0);
        assert_eq!(bodies.read(Body::empty()).await.unwrap(), Bytes::new());
        assert_eq!(bodies.read(in_parts(&[4, 6], true)).await.unwrap(), [b'x'; 10].as_slice());
        assert_eq!(bodies.read(in_parts(&[4, 7], true)).await, Err(Unread::TooLarge));
        assert_eq!(bodies.read(Body::from(vec![b'x'; 11])).await, Err(Unread::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let bodies = Bodies { within: Duration::from_millis(10), ..bodies(10, 0) };
        assert_eq!(bodies.read(in_parts(&[4], false)).await, Err(Unread::TooSlow));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
        let parts = stream::iter([Ok(Bytes::from("x")), Err(io::Error::other("gone"))]);
        assert_eq!(bodies(10, 0).read(Body::from_stream(parts)).await, Err(Unread::Incomplete));
    }

    #[tokio::test]
    async fn large_bodies_share_their_memory_until_the_last_byte_is_dropped() {
        let bodies = bodies(200 * KIB, 100 * KIB);
        let first = bodies.read(in_parts(&[60 * KIB, 60 * KIB], true)).await.unwrap();
        assert_eq!(bodies.room.available_permits(), (100 - (120 - 64)) * KIB);
        let part = first.slice(..1);
        drop(first);
        // 44 KiB are left.
        assert_eq!(bodies.read(in_parts(&[100 * KIB, 9 * KIB], true)).await, Err(Unread::Busy));
        assert!(bodies.read(in_parts(&[100 * KIB, 8 * KIB], true)).await.is_ok());
        drop(part);
        assert_eq!(bodies.room.available_permits(), 100 * KIB);
    }

    #[tokio::test]
    async fn small_bodies_are_read_when_large_ones_take_all_the_room() {
        let bodies = bodies(200 * KIB, 100 * KIB);
        let _large = bodies.read(in_parts(&[164 * KIB], true)).await.unwrap();
        assert_eq!(bodies.room.available_permits(), 0);
        assert_eq!(bodies.read(in_parts(&[64 * KIB, 1], true)).await, Err(Unread::Busy));
        assert!(bodies.read(in_parts(&[64 * KIB], true)).await.is_ok());
    }
}
