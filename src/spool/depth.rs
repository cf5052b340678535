//! How much waits.

use jiff::Timestamp;

/// How much waits in a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Events that wait for the store.
    pub events: u64,
    /// What their files take on the disk, those parts included that are done with and not deleted yet.
    pub bytes: u64,
    /// When the first of them arrived.
    pub oldest: Option<Timestamp>,
    /// Files in the spool's folder, of all processes, that wait for a person: events that the store refuses, and what
    /// can't be read. They are not counted in the others.
    pub set_aside: u64,
}
