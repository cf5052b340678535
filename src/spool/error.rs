//! What can go wrong with a spool.

use std::io;
use std::path::{Path, PathBuf};

/// Why a spool did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There is no room for what was to be added.
    #[error("the spool is full: {max_bytes} bytes (`spool.max_bytes`) are all that it may hold")]
    Full {
        /// What it may hold.
        max_bytes: u64,
    },
    /// The disk or the operating system refused.
    #[error("can't {what} {}: {source}", path.display())]
    File {
        /// What was to be done, as it stands before the file's name.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The process is ending.
    #[error("the process is ending")]
    Interrupted,
}

impl SpoolError {
    /// Whether it would have been kept if there had been room, on the disk or of what it may hold.
    #[must_use]
    pub fn is_for_want_of_room(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::File { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Interrupted => false,
        }
    }
}

/// Names what failed.
pub(super) trait Named<T> {
    /// An error that says what was done to which file.
    fn named(self, what: &'static str, path: &Path) -> Result<T, SpoolError>;
}

impl<T> Named<T> for io::Result<T> {
    fn named(self, what: &'static str, path: &Path) -> Result<T, SpoolError> {
        self.map_err(|source| SpoolError::File { what, path: path.to_owned(), source })
    }
}
