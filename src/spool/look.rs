//! Looking at what waits, from beside the processes that have it.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::{Named as _, SpoolError};
use super::segment::{MARK, SET_ASIDE, is_kept};
use super::slot::{SEGMENT, list};
use super::walk::Walk;

/// Where an event was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It waits for the store.
    Waiting,
    /// It is alone in a file that is kept for a person: the store would not have it.
    SetAside(PathBuf),
    /// It is in a file that is kept for a person, perhaps among others.
    Damaged(PathBuf),
}

/// Shows the bodies of all events of a spool's folder, of whichever process, and whole what can't be read event by event. What is written or removed at the same moment may be shown or not. A
/// folder that is not there is empty.
///
/// # Errors
/// When the folder or a file can't be read.
pub fn look(folder: &Path, mut see: impl FnMut(Seen, &[u8])) -> Result<(), SpoolError> {
    if !folder.exists() {
        return Ok(());
    }
    for slot in list(folder)?.into_iter().filter(|path| path.is_dir()) {
        for path in list(&slot)? {
            let is_segment = path.extension().is_some_and(|extension| extension == SEGMENT);
            if !is_segment && !is_kept(&path) {
                continue;
            }
            let file = match File::open(&path) {
                // It was done with.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                file => file.named("open", &path)?,
            };
            let is_set_aside = path.extension().is_some_and(|extension| extension == SET_ASIDE);
            if !is_segment && !is_set_aside {
                // Somewhere in it something is broken.
                see(Seen::Damaged(path.clone()), &std::fs::read(&path).named("read", &path)?);
                continue;
            }
            let length = file.metadata().named("read", &path)?.len();
            let mut walk = Walk::new(file, (MARK.len() as u64).min(length), length).named("read", &path)?;
            while let Some(arrival) = walk.next().named("read", &path)? {
                let seen = if is_segment { Seen::Waiting } else { Seen::SetAside(path.clone()) };
                see(seen, &arrival.content.body);
            }
        }
    }
    Ok(())
}
