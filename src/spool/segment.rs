//! One file of the spool.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::error::{Named as _, SpoolError};
use super::record::{self, Record};
use crate::model::Arrival;

/// How a file begins, with the version of what follows.
const MARK: &[u8] = b"lectern spool 1\n";

/// A file that is complete up to `length`. What may stand behind that is not part of it.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// In bytes, with the mark.
    pub(super) length: u64,
    /// How many events of it are still to be read.
    pub(super) events: u64,
    /// Where the first of those stands.
    pub(super) at: u64,
}

impl Segment {
    /// Makes a new file, which is on the disk when this returns; its folder is the caller's to flush.
    pub(super) fn create(path: PathBuf) -> Result<(Self, File), SpoolError> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // It holds what customers wrote.
            options.mode(0o600);
        }
        let mut file = options.open(&path).named("make", &path)?;
        if let Err(error) = file.write_all(MARK).and_then(|()| file.sync_all()).named("write", &path) {
            // What can't be removed is an empty file, which the next start does not mind.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        let length = MARK.len() as u64;
        Ok((Self { path, length, events: 0, at: length }, file))
    }

    /// Reads a file that another process left, whole, and cuts off a torn end. None when it was never a segment, or is
    /// one of a version that is not known here: such a file is left as it is.
    pub(super) fn recover(path: PathBuf) -> Result<Option<Self>, SpoolError> {
        let file = OpenOptions::new().read(true).write(true).open(&path).named("open", &path)?;
        let found = file.metadata().named("read", &path)?.len();
        let mut reader = BufReader::new(&file);
        let mut mark = [0; MARK.len()];
        if reader.read_exact(&mut mark).is_err() || mark != MARK {
            return Ok(None);
        }
        let start = MARK.len() as u64;
        let (mut events, mut length, mut behind) = (0, start, start);
        loop {
            match record::read(&mut reader).named("read", &path)? {
                Record::Whole(_, taken) => {
                    events += 1;
                    behind += taken;
                    length = behind;
                }
                // A torn write can look like this, too: then nothing whole follows, and it is cut off.
                Record::Damaged(taken) => behind += taken,
                Record::End => break,
            }
        }
        if found > length {
            tracing::warn!(
                file = %path.display(),
                bytes = found - length,
                "the spool's file ends in the middle of a write: what was not complete is cut off"
            );
            file.set_len(length).and_then(|()| file.sync_all()).named("cut", &path)?;
        }
        Ok(Some(Self { path, length, events, at: start }))
    }

    /// Reads on from `at`, at most `at_most` events and `bytes` bytes, but at least one event if there is one. With each
    /// comes where the next one stands.
    pub(super) fn read(&self, at_most: usize, bytes: u64) -> Result<Vec<(Arrival, u64)>, SpoolError> {
        let mut file = File::open(&self.path).named("open", &self.path)?;
        file.seek(SeekFrom::Start(self.at)).named("read", &self.path)?;
        let mut reader = BufReader::with_capacity(64 * 1024, file.take(self.length - self.at));
        let (mut found, mut at) = (Vec::new(), self.at);
        while found.len() < at_most && (found.is_empty() || at - self.at < bytes) {
            match record::read(&mut reader).named("read", &self.path)? {
                Record::Whole(arrival, taken) => {
                    at += taken;
                    found.push((arrival, at));
                }
                Record::Damaged(taken) => {
                    at += taken;
                    self.tell_of_damage(at - taken);
                }
                Record::End => {
                    if at < self.length {
                        self.tell_of_damage(at);
                    }
                    break;
                }
            }
        }
        Ok(found)
    }

    fn tell_of_damage(&self, at: u64) {
        tracing::error!(
            file = %self.path.display(),
            at,
            "the disk gave back something else than was written: an event of the spool is lost"
        );
    }
}

/// Puts what happened in a folder on the disk: a new file, or one that is gone.
pub(super) fn flush_folder(folder: &Path) -> Result<(), SpoolError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).named("flush", folder)?;
    }
    Ok(())
}
