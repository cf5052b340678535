//! What waits in the spool of this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::erasure::Traces;
use crate::spool::{self, Seen};

/// What tells of the person in the spool of this machine, as often as it was looked.
#[derive(Default)]
pub(super) struct Spooled {
    /// How many events, which become events of the store in a moment.
    pub(super) waiting: usize,
    /// Files with one event each.
    pub(super) set_aside: BTreeSet<PathBuf>,
    /// Files with others, too.
    pub(super) damaged: BTreeSet<PathBuf>,
}

impl Spooled {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0 && self.set_aside.is_empty() && self.damaged.is_empty()
    }

    /// Looks through the spool. What was seen before counts as well: where it is now is not known.
    pub(super) fn look(&mut self, folder: &Path, traces: &Traces) -> Result<(), Failure> {
        let mut waiting = 0;
        spool::look(folder, |seen, bytes| {
            if traces.are_in(bytes) {
                match seen {
                    Seen::Waiting => waiting += 1,
                    Seen::SetAside(file) => _ = self.set_aside.insert(file),
                    Seen::Damaged(file) => _ = self.damaged.insert(file),
                }
            }
        })?;
        self.waiting = self.waiting.max(waiting);
        Ok(())
    }

    pub(super) async fn delete_set_aside(&self) -> Result<(), Failure> {
        for file in &self.set_aside {
            match tokio::fs::remove_file(file).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::failed(format!("can't delete {}: {error}", file.display())));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
