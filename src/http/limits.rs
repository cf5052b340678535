//! What a listener puts up with, on one page.

use std::time::Duration;

/// How many connections a listener has, and how long the other side of one may keep it waiting. What we take for a request
/// ourselves is another matter, see `layers`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections at once.
    pub(super) connections: usize,

    /// How long a request's headers may take: from the connection's start, or from their first byte when the connection was
    /// kept after another request. A sender needs milliseconds.
    pub(super) headers: Duration,

    /// How long a connection may rest between two requests. Longer than the usual proxies keep an idle connection (60
    /// seconds to 2 minutes), so that it is the proxy who hangs up, and no request meets a closing connection.
    pub(super) rest: Duration,

    /// How long an answer may wait until the other side takes some more of it.
    pub(super) answer: Duration,

    /// How long requests under way may go on once the process has been told to stop.
    pub(super) grace: Duration,

    /// How much of that is for those whose request is not even here: who is slow must not hold up the end.
    pub(super) last_bytes: Duration,
}

impl Limits {
    /// The usual limits, with this many connections.
    #[must_use]
    pub const fn with_connections(connections: u32) -> Self {
        Self {
            connections: connections as usize,
            headers: Duration::from_secs(10),
            rest: Duration::from_secs(125),
            answer: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            last_bytes: Duration::from_secs(1),
        }
    }

    /// The shortest time that the other side is given for anything.
    pub(super) fn shortest(&self) -> Duration {
        self.headers.min(self.rest).min(self.answer)
    }
}

/// How much of a request's headers, and of what was read ahead of a body, a connection holds in memory. Ten times what Podium
/// and the usual proxies send; longer headers are answered 431.
pub(super) const BUFFER: usize = 16 * 1024;
