//! Who has which folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::error::{Named as _, SpoolError};
use super::segment::{flush_folder, is_kept};

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
        let mut folders = list(parent)?;
        folders.retain(|path| number(path).is_some());
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
    pub(super) fn segments(&self) -> Result<Vec<PathBuf>, SpoolError> {
        let mut files = list(&self.folder)?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == SEGMENT));
        files.sort();
        Ok(files)
    }

    /// The highest number that any file of this folder has, whatever it is; 0 when none has one.
    pub(super) fn highest(&self) -> Result<u64, SpoolError> {
        Ok(list(&self.folder)?.iter().filter_map(|path| number(path)).max().unwrap_or(0))
    }
}

/// The number that a file's name begins with.
pub(super) fn number(file: &Path) -> Option<u64> {
    file.file_name()?.to_str()?.split(['-', '.']).next()?.parse().ok()
}

/// How many files are kept for a person in all folders within `parent`.
pub(super) fn count_kept(parent: &Path) -> Result<u64, SpoolError> {
    let mut count = 0;
    for folder in list(parent)?.into_iter().filter(|path| path.is_dir()) {
        count += list(&folder)?.iter().filter(|file| is_kept(file)).count() as u64;
    }
    Ok(count)
}

pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let entries = folder.read_dir().named("list", folder)?;
    entries.map(|entry| Ok(entry.named("list", folder)?.path())).collect()
}

/// Makes a folder for its owner only, if it is not there, and sees that a power cut does not take it away again.
fn make(folder: &Path) -> Result<(), SpoolError> {
    let new: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).named("make the folder", folder)?;
    for made in new {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
        flush_folder(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}
