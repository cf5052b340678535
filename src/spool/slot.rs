//! Who has which folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::error::{Named as _, SpoolError};

/// How a segment's name ends.
pub(super) const SEGMENT: &str = "spool";

/// A folder that belongs to this process, for as long as this lives. The operating system gives it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) folder: PathBuf,
    _held: File,
}

impl Slot {
    /// Takes the first free folder of `1`, `2`, … within `parent`.
    pub(super) fn take(parent: &Path) -> Result<Self, SpoolError> {
        make(parent)?;
        for number in 1_u32.. {
            let folder = parent.join(number.to_string());
            make(&folder)?;
            if let Some(slot) = Self::lock(folder)? {
                return Ok(slot);
            }
        }
        unreachable!("no machine runs this many processes")
    }

    /// The folders within `parent` that belong to nobody any more.
    pub(super) fn abandoned(parent: &Path) -> Result<Vec<Self>, SpoolError> {
        let mut folders = Vec::new();
        for entry in parent.read_dir().named("list", parent)? {
            let entry = entry.named("list", parent)?;
            if entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()) {
                folders.push(entry.path());
            }
        }
        folders.sort();
        folders.into_iter().filter_map(|folder| Self::lock(folder).transpose()).collect()
    }

    /// Takes a folder, unless somebody has it.
    fn lock(folder: PathBuf) -> Result<Option<Self>, SpoolError> {
        let name = folder.join("lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let held = options.open(&name).named("open", &name)?;
        match held.try_lock() {
            Ok(()) => Ok(Some(Self { folder, _held: held })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).named("lock", &name),
        }
    }

    /// The files of this folder that may be segments, by name and so by age.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let mut files = Vec::new();
        for entry in self.folder.read_dir().named("list", &self.folder)? {
            let path = entry.named("list", &self.folder)?.path();
            if path.extension().is_some_and(|extension| extension == SEGMENT) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Makes a folder for its owner only, if it is not there.
fn make(folder: &Path) -> Result<(), SpoolError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).named("make the folder", folder)
}
