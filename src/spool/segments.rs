//! The files of the spool, in their order.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::depth::Depth;
use super::error::{Named as _, SpoolError};
use super::record;
use super::segment::{Segment, WRITE_BYTES, Wanted, flush_folder, give_up};
use super::slot::{SEGMENT, Slot, count_kept};
use crate::model::Arrival;

/// A file that is longer gets nothing more: what is done with is deleted a file at a time.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// How much is read at once, and how many events even if they are more.
const READ_BYTES: u64 = 4 * 1024 * 1024;
const READ_EVENTS: usize = 4;

/// All files of a spool; none of its methods leaves them in a state in between.
#[derive(Debug)]
pub(super) struct Segments {
    pub(super) parent: PathBuf,
    slot: Slot,
    max_bytes: u64,
    /// The one that is read from in front, the one that is written to at the back.
    segments: VecDeque<Segment>,
    /// The last one's file, while it takes more.
    open: Option<File>,
    /// The number of the next file.
    next: u64,
    /// How many files are kept for a person.
    set_aside: u64,
    /// The files that can't be taken over, each of which was told of.
    pub(super) left: HashSet<PathBuf>,
}

impl Segments {
    pub(super) fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let slot = Slot::take(folder)?;
        let next = slot.highest()?.saturating_add(1);
        let files = slot.segments()?;
        let mut segments = Self {
            parent: folder.to_owned(),
            slot,
            max_bytes,
            segments: VecDeque::new(),
            open: None,
            next,
            set_aside: 0,
            left: HashSet::new(),
        };
        // A plain number was given in the order of writing. All else was put here by somebody, and goes by its time.
        let (own, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file_is_own(file));
        let own: Vec<_> = own.iter().filter_map(|file| recovered_own(file)).collect();
        segments.segments.extend(own);
        let mut place = 0;
        for segment in others.iter().filter_map(|file| recovered_own(file)) {
            place = segments.insert(segment, place);
        }
        segments.count_kept();
        Ok(segments)
    }

    /// Makes a file of a process that is gone into one of this process, at `place` or behind it; returns the place behind.
    /// After an error it belongs to whom it belonged before, or is taken over all the same.
    pub(super) fn take_over(&mut self, mut segment: Segment, place: usize) -> Result<usize, SpoolError> {
        let own = self.name_next(ADOPTED);
        std::fs::rename(&segment.path, &own).named("move", &segment.path)?;
        tracing::info!(
            file = %segment.path.display(),
            events = segment.events,
            "another process left events in the spool: they are taken over"
        );
        let before = std::mem::replace(&mut segment.path, own);
        let behind = self.insert(segment, place);
        flush_folder(&self.slot.folder)?;
        flush_folder(before.parent().unwrap_or(&self.parent))?;
        Ok(behind)
    }

    /// Puts a file among the others by the time of its first event, at `place` or behind it; returns the place behind.
    fn insert(&mut self, segment: Segment, place: usize) -> usize {
        let newer = self.segments.iter().skip(place).position(|own| own.oldest > segment.oldest);
        let place = newer.map_or(self.segments.len(), |newer| place + newer);
        if place == self.segments.len() {
            // What stands last is the one to write to, and nothing is written to this one.
            self.open = None;
        }
        self.segments.insert(place, segment);
        place + 1
    }

    /// Looks how many files are kept for a person, by whichever process.
    pub(super) fn count_kept(&mut self) {
        self.set_aside = count_kept(&self.parent).unwrap_or(self.set_aside);
    }

    /// How much waits.
    pub(super) fn depth(&self) -> Depth {
        Depth {
            events: self.segments.iter().map(|segment| segment.events).sum(),
            bytes: self.bytes(),
            oldest: self.segments.front().and_then(|first| first.oldest),
            set_aside: self.set_aside,
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// See [`super::Spool::append`].
    pub(super) fn append(&mut self, arrivals: &[Arrival]) -> Result<usize, SpoolError> {
        let room = self.max_bytes.saturating_sub(self.bytes());
        let (mut bytes, mut count) = (Vec::new(), 0);
        for arrival in arrivals {
            let before = bytes.len();
            record::write(arrival, &mut bytes);
            if bytes.len() as u64 > room {
                bytes.truncate(before);
                break;
            }
            count += 1;
            if bytes.len() as u64 > WRITE_BYTES {
                break;
            }
        }
        let Some(first) = arrivals[..count].first() else {
            return Err(SpoolError::Full { max_bytes: self.max_bytes });
        };
        if self.segments.back().is_none_or(|last| last.length > SEGMENT_BYTES) {
            self.open = None;
        }
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.add()?,
        };
        let last = self.segments.back_mut().expect("one is there or was just added");
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()).named("write", &last.path)
        {
            // Nothing of it counts, and nothing is ever written behind it: who knows what reached the disk.
            let _ = file.set_len(last.length);
            self.drop_empty();
            return Err(error);
        }
        last.length += bytes.len() as u64;
        last.events += count as u64;
        last.oldest = last.oldest.or(Some(first.received_at));
        self.open = Some(file);
        Ok(count)
    }

    fn add(&mut self) -> Result<File, SpoolError> {
        let (segment, file) = Segment::create(self.name_next(""))?;
        self.segments.push_back(segment);
        flush_folder(&self.slot.folder).inspect_err(|_| self.drop_empty())?;
        Ok(file)
    }

    fn name_next(&mut self, kind: &str) -> PathBuf {
        let name = self.slot.folder.join(format!("{:020}{kind}.{SEGMENT}", self.next));
        self.next += 1;
        name
    }

    /// A file at the back that nothing was added to is not worth keeping.
    fn drop_empty(&mut self) {
        if let Some(last) = self.segments.pop_back_if(|last| last.events == 0) {
            // One that stays is recognised as empty by the next start.
            let _ = std::fs::remove_file(&last.path);
        }
    }

    /// See [`super::Spool::first`].
    pub(super) fn first(&mut self, at_most: usize) -> Result<Vec<Arrival>, SpoolError> {
        for segment in &mut self.segments {
            segment.returned.clear();
        }
        let wanted = Wanted { at_most, bytes: READ_BYTES, at_least: READ_EVENTS };
        let (mut found, mut bytes, mut place) = (Vec::new(), 0, 0);
        while let Some(segment) = self.segments.get_mut(place) {
            match segment.read(wanted, &mut found, &mut bytes) {
                Ok(()) if segment.is_read_out() => place += 1,
                Ok(()) => break,
                // What was found before comes before it.
                Err(_) if !found.is_empty() => break,
                Err(error) if segment.has_failed(&error) => {
                    give_up(&segment.path, &error);
                    self.segments.remove(place);
                    self.open.take_if(|_| place == self.segments.len());
                    self.count_kept();
                }
                Err(error) => return Err(error),
            }
        }
        self.finish()?;
        Ok(found)
    }

    /// See [`super::Spool::remove`].
    pub(super) fn remove(&mut self, count: usize) -> Result<(), SpoolError> {
        for _ in 0..count {
            // What was taken over in between may stand in front of what was returned.
            let Some(from) = self.segments.iter_mut().find(|segment| !segment.returned.is_empty()) else {
                break;
            };
            from.remove_first();
        }
        let finished = self.finish();
        if let Some(first) = self.segments.front_mut() {
            first.find_oldest();
        }
        finished
    }

    /// Takes out the files that are done with.
    fn finish(&mut self) -> Result<(), SpoolError> {
        self.open.take_if(|_| self.segments.back().is_none_or(|last| last.events == 0));
        while let Some(place) = self.segments.iter().position(|segment| segment.events == 0) {
            if let Some(finished) = self.segments.remove(place) {
                finished.finish()?;
            }
        }
        Ok(())
    }

    /// Writes on into another file, such as one that takes nothing.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, file: File) {
        self.open = Some(file);
    }

    /// See [`super::Spool::set_aside`].
    pub(super) fn set_aside(&mut self, arrival: &Arrival) -> Result<String, SpoolError> {
        let (path, mut file) = Segment::create_aside(&self.slot.folder, arrival)?;
        let mut bytes = Vec::new();
        record::write(arrival, &mut bytes);
        file.write_all(&bytes).and_then(|()| file.sync_all()).named("write", &path)?;
        flush_folder(&self.slot.folder)?;
        self.count_kept();
        Ok(path.display().to_string())
    }
}

/// How the name of a file goes on that was taken over: its number says nothing of its time.
const ADOPTED: &str = "-adopted";

/// Whether a file's name is what this process would have given it.
fn file_is_own(file: &Path) -> bool {
    file.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.parse::<u64>().is_ok())
}

/// A file of one's own that was left before. One that can't be read must not keep the others from the store.
fn recovered_own(file: &Path) -> Option<Segment> {
    match recovered(file) {
        Ok(found) => found,
        Err(error) => {
            give_up(file, &error);
            None
        }
    }
}

/// Reads a file that was left before; none when there is no event in it.
pub(super) fn recovered(file: &Path) -> Result<Option<Segment>, SpoolError> {
    match Segment::recover(file.to_owned())? {
        Some(segment) if segment.events > 0 => return Ok(Some(segment)),
        Some(empty) => empty.finish()?,
        None if file.metadata().named("read", file)?.len() == 0 => {
            std::fs::remove_file(file).named("delete", file)?;
        }
        None => tracing::error!(
            file = %file.display(),
            "this file of the spool is none that this version of Lectern can read: it is left as it is"
        ),
    }
    Ok(None)
}
