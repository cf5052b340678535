//! One file of the spool.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{Named as _, SpoolError};
use super::walk::Walk;
use crate::model::Arrival;

/// How a file begins, with the version of what follows.
pub(super) const MARK: &[u8] = b"lectern spool 1\n";

/// Nothing more is added to a write that is longer. The usual batch is shorter.
pub(super) const WRITE_BYTES: u64 = 8 * 1024 * 1024;

/// What is behind the last whole event and longer was not torn, unless one event alone is as long: no write of several is longer.
const TORN: u64 = WRITE_BYTES;

/// How often a file may fail to be read until it is given up. Whoever reads pauses for up to a second, so that makes five minutes: a
/// volume on a network may be away for as long, and what waits loses nothing.
pub(super) const READ_TRIES: u32 = 300;

/// How the name of a file ends that is kept for a person: it was damaged, or can't be read at all.
const DAMAGED: &str = "damaged";
const UNREADABLE: &str = "unreadable";
/// How the name ends of one event that the store does not take.
pub(super) const SET_ASIDE: &str = "set-aside";

/// Whether this file is kept for a person.
pub(super) fn is_kept(file: &Path) -> bool {
    let end = file.extension().and_then(OsStr::to_str);
    end.is_some_and(|end| [DAMAGED, UNREADABLE, SET_ASIDE].contains(&end))
}

/// How much is read.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// How many events at most.
    pub(super) at_most: usize,
    /// No further ones after so many bytes,
    pub(super) bytes: u64,
    /// unless there are fewer than so many.
    pub(super) at_least: usize,
}

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
    /// When it arrived.
    pub(super) oldest: Option<Timestamp>,
    /// Where each of the events ends that were read last and are not removed yet.
    pub(super) returned: VecDeque<u64>,
    /// Whether something in it is no event any more: then it is kept for a person in the end.
    is_damaged: bool,
    /// How often in a row it could not be read.
    failures: u32,
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
        Ok((Self::at_start(path, length, 0), file))
    }

    fn at_start(path: PathBuf, length: u64, events: u64) -> Self {
        let (at, returned) = (MARK.len() as u64, VecDeque::new());
        Self { path, length, events, at, oldest: None, returned, is_damaged: false, failures: 0 }
    }

    /// Makes the file of an event that is kept for a person.
    pub(super) fn create_aside(folder: &Path, arrival: &Arrival) -> Result<(PathBuf, File), SpoolError> {
        let path = folder.join(format!("{}.{SET_ASIDE}", arrival.id));
        // An earlier attempt may have been interrupted.
        let _ = std::fs::remove_file(&path);
        let (_, file) = Self::create(path.clone())?;
        Ok((path, file))
    }

    /// Reads a file that another process left, whole, and cuts off a torn end. None when it was never a segment, or is
    /// one of a version that is not known here: such a file is left as it is.
    pub(super) fn recover(path: PathBuf) -> Result<Option<Self>, SpoolError> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path).named("open", &path)?;
        let found = file.metadata().named("read", &path)?.len();
        let mut mark = [0; MARK.len()];
        match file.read_exact(&mut mark) {
            Ok(()) if mark == MARK => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(error).named("read", &path);
            }
            _ => return Ok(None),
        }
        let again = file.try_clone().named("read", &path)?;
        let mut walk = Walk::new(again, MARK.len() as u64, found).named("read", &path)?;
        let (mut events, mut oldest) = (0, None);
        while let Some(arrival) = walk.next().named("read", &path)? {
            events += 1;
            oldest = oldest.or(Some(arrival.received_at));
        }
        let (behind, passed_over) = (found - walk.at, walk.passed_over);
        let mut segment = Self { oldest, ..Self::at_start(path, walk.at, events) };
        if passed_over || (behind > TORN && !walk.is_torn_event().named("read", &segment.path)?) {
            segment.tell_of_damage();
        } else if behind > 0 {
            tracing::warn!(
                file = %segment.path.display(),
                bytes = behind,
                "the spool's file ends in the middle of a write: what was not complete is cut off"
            );
            file.set_len(segment.length).and_then(|()| file.sync_all()).named("cut", &segment.path)?;
        }
        Ok(Some(segment))
    }

    /// Reads on from `at`, and adds to what was found before and to its bytes.
    pub(super) fn read(
        &mut self,
        wanted: Wanted,
        found: &mut Vec<Arrival>,
        bytes: &mut u64,
    ) -> Result<(), SpoolError> {
        let mut walk = self.walk()?;
        while found.len() < wanted.at_most && (found.len() < wanted.at_least || *bytes < wanted.bytes) {
            let before = walk.at;
            match walk.next() {
                Ok(Some(arrival)) => {
                    *bytes += walk.at - before;
                    self.returned.push_back(walk.at);
                    found.push(arrival);
                }
                Ok(None) => {
                    self.reach_end(walk.at);
                    break;
                }
                // It may be read another time, and if it may not, what comes before it is through.
                Err(_) if !self.returned.is_empty() => break,
                Err(error) => return Err(error).named("read", &self.path),
            }
        }
        if walk.passed_over {
            self.tell_of_damage();
        }
        self.failures = 0;
        Ok(())
    }

    /// Nothing whole comes behind `at`.
    fn reach_end(&mut self, at: u64) {
        if at < self.length {
            self.tell_of_damage();
        }
        match self.returned.back_mut() {
            Some(last) => *last = self.length,
            None => self.events = 0,
        }
    }

    /// Whether all that it has was read.
    pub(super) fn is_read_out(&self) -> bool {
        self.events == 0 || self.returned.back() == Some(&self.length)
    }

    /// Passes over the first event that was read and is not removed yet.
    pub(super) fn remove_first(&mut self) {
        self.at = self.returned.pop_front().unwrap_or(self.at);
        self.events = if self.at < self.length { self.events.saturating_sub(1).max(1) } else { 0 };
    }

    /// Looks when the first event arrived that is still to be read.
    pub(super) fn find_oldest(&mut self) {
        if let Ok(mut walk) = self.walk()
            && let Ok(Some(first)) = walk.next()
        {
            self.oldest = Some(first.received_at);
        }
    }

    fn walk(&self) -> Result<Walk, SpoolError> {
        let file = File::open(&self.path).named("open", &self.path)?;
        Walk::new(file, self.at, self.length).named("read", &self.path)
    }

    /// Whether it is to be given up, now that it failed to be read.
    pub(super) fn has_failed(&mut self, error: &SpoolError) -> bool {
        let SpoolError::File { source, .. } = error else { return false };
        // Too many open files or no memory: that says nothing of this one.
        let shortage =
            matches!(source.raw_os_error(), Some(23 | 24)) || source.kind() == io::ErrorKind::OutOfMemory;
        self.failures += u32::from(!shortage);
        // With its folder it is the volume that is gone, and may come back.
        let is_gone =
            source.kind() == io::ErrorKind::NotFound && self.path.parent().is_some_and(Path::is_dir);
        is_gone || self.failures >= READ_TRIES
    }

    /// The file is done with: it is deleted, or kept for a person if something in it was passed over.
    pub(super) fn finish(&self) -> Result<(), SpoolError> {
        if self.is_damaged {
            let kept = self.path.with_extension(DAMAGED);
            return std::fs::rename(&self.path, kept).named("rename", &self.path);
        }
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).named("delete", &self.path),
            _ => Ok(()),
        }
    }

    fn tell_of_damage(&mut self) {
        if !std::mem::replace(&mut self.is_damaged, true) {
            tracing::error!(
                file = %self.path.display(),
                "the disk gave back something else than was written: some events of the spool can't be read; once all \
                 others are in the store, the file is kept for a person, as `.damaged`"
            );
        }
    }
}

/// Takes a file that can't be read out of the way, for a person.
pub(super) fn give_up(file: &Path, error: &SpoolError) {
    let kept = file.with_extension(UNREADABLE);
    let renamed = std::fs::rename(file, &kept);
    tracing::error!(
        file = %file.display(),
        %error,
        renamed = renamed.is_ok(),
        "a file of the spool is gone or can't be read: the spool goes on without it; what is left of it is kept for a \
         person, as `.unreadable`"
    );
}

/// Puts what happened in a folder on the disk: a new file, or one that is gone.
pub(super) fn flush_folder(folder: &Path) -> Result<(), SpoolError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).named("flush", folder)?;
    }
    Ok(())
}
