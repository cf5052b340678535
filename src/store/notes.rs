//! Notes: what must be remembered beside events, seldom changes, and is shared by all processes. What is in one, only the
//! room knows that wrote it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{LeaseToken, StoreError};

/// A few things by name, each with a version, so that of two who change one at once the later one learns of it.
#[async_trait]
pub trait NoteStore: Send + Sync + 'static {
    /// The note of this name.
    async fn note(&self, name: &str) -> Result<Option<Note>, StoreError>;

    /// The notes whose names begin so, with their names, by name.
    async fn notes_under(&self, prefix: &str) -> Result<Vec<(String, Note)>, StoreError>;

    /// Writes a note, if it is still at `version`: 0 is one that is not there. Returns whether it was written.
    async fn write_note(
        &self,
        name: &str,
        content: &[u8],
        version: u64,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Forgets a note, if it is still at `version`. Returns whether it was forgotten.
    async fn erase_note(&self, name: &str, version: u64) -> Result<bool, StoreError>;

    /// Makes the asker the only one who does what this name stands for, or prolongs that. A lease that has ended at `now` is
    /// free. Returns whether it is the asker's.
    async fn lease_task(
        &self,
        name: &str,
        token: LeaseToken,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub content: Vec<u8>,
    /// How often it was written, from 1 on.
    pub version: u64,
    /// When it was last written.
    pub written_at: Timestamp,
}
