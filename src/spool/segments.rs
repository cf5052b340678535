//! The files of the spool, in their order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::depth::Depth;
use super::error::{Named as _, SpoolError};
use super::record;
use super::segment::{Segment, flush_folder};
use super::slot::{SEGMENT, Slot};
use crate::model::Arrival;

/// A file that is longer gets nothing more: what is done with is deleted a file at a time.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// How much is read at once.
const READ_BYTES: u64 = 4 * 1024 * 1024;

/// All files of a spool; none of its methods leaves them in a state in between.
#[derive(Debug)]
pub(super) struct Segments {
    parent: PathBuf,
    slot: Slot,
    max_bytes: u64,
    /// The one that is read from in front, the one that is written to at the back.
    segments: VecDeque<Segment>,
    /// The last one's file, while it takes more.
    open: Option<File>,
    /// The number of the next file.
    next: u64,
    /// Where each of the events that were returned last ends.
    returned: VecDeque<u64>,
    /// When the first of all arrived.
    oldest: Option<Timestamp>,
}

impl Segments {
    pub(super) fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let slot = Slot::take(folder)?;
        let mut segments = Self {
            parent: folder.to_owned(),
            slot,
            max_bytes,
            segments: VecDeque::new(),
            open: None,
            next: 1,
            returned: VecDeque::new(),
            oldest: None,
        };
        for file in segments.slot.files()? {
            let number = file.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            segments.next = segments.next.max(number.map_or(0, |number| number.saturating_add(1)));
            segments.recover(&file)?;
        }
        segments.adopt()?;
        segments.find_oldest();
        Ok(segments)
    }

    /// Makes files of processes that are gone into ones of this process, behind its own.
    pub(super) fn adopt(&mut self) -> Result<(), SpoolError> {
        for abandoned in Slot::abandoned(&self.parent)? {
            for file in abandoned.files()? {
                let own = self.name_next();
                std::fs::rename(&file, &own).named("move", &file)?;
                flush_folder(&self.slot.folder)?;
                tracing::info!(file = %file.display(), "another process left events in the spool: they are taken over");
                // What is adopted stands last now, so the file that is open is no longer the one to write to.
                self.open = None;
                self.recover(&own)?;
            }
        }
        self.find_oldest();
        Ok(())
    }

    fn recover(&mut self, file: &Path) -> Result<(), SpoolError> {
        match Segment::recover(file.to_owned())? {
            Some(segment) if segment.events > 0 => self.segments.push_back(segment),
            Some(empty) => std::fs::remove_file(&empty.path).named("delete", &empty.path)?,
            None if file.metadata().named("read", file)?.len() == 0 => {
                std::fs::remove_file(file).named("delete", file)?;
            }
            None => tracing::error!(
                file = %file.display(),
                "this file of the spool is none that this version of Lectern can read: it is left as it is"
            ),
        }
        Ok(())
    }

    /// How much waits.
    pub(super) fn depth(&mut self) -> Depth {
        Depth {
            events: self.segments.iter().map(|segment| segment.events).sum(),
            bytes: self.bytes(),
            oldest: self.oldest,
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// See [`super::Spool::append`].
    pub(super) fn append(&mut self, arrivals: &[Arrival]) -> Result<(), SpoolError> {
        let mut bytes = Vec::new();
        for arrival in arrivals {
            record::write(arrival, &mut bytes);
        }
        if self.bytes() + bytes.len() as u64 > self.max_bytes {
            return Err(SpoolError::Full { max_bytes: self.max_bytes });
        }
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
        last.events += arrivals.len() as u64;
        self.open = Some(file);
        self.oldest = self.oldest.or_else(|| arrivals.first().map(|first| first.received_at));
        Ok(())
    }

    fn add(&mut self) -> Result<File, SpoolError> {
        let (segment, file) = Segment::create(self.name_next())?;
        self.segments.push_back(segment);
        flush_folder(&self.slot.folder).inspect_err(|_| self.drop_empty())?;
        Ok(file)
    }

    fn name_next(&mut self) -> PathBuf {
        let name = self.slot.folder.join(format!("{:020}.{SEGMENT}", self.next));
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
        loop {
            let Some(first) = self.segments.front_mut() else { return Ok(Vec::new()) };
            let found = first.read(at_most, READ_BYTES)?;
            if found.is_empty() {
                // Nothing of the rest can be read: it is as if it had been.
                first.events = 0;
                self.delete_finished()?;
                continue;
            }
            self.returned = found.iter().map(|(_, end)| *end).collect();
            return Ok(found.into_iter().map(|(arrival, _)| arrival).collect());
        }
    }

    /// See [`super::Spool::remove`].
    pub(super) fn remove(&mut self, count: usize) -> Result<(), SpoolError> {
        let count = count.min(self.returned.len());
        let Some(end) = self.returned.drain(..count).next_back() else { return Ok(()) };
        if let Some(first) = self.segments.front_mut() {
            first.at = end;
            first.events = first.events.saturating_sub(count as u64);
            if first.at >= first.length {
                first.events = 0;
            }
        }
        let deleted = self.delete_finished();
        self.find_oldest();
        deleted
    }

    fn delete_finished(&mut self) -> Result<(), SpoolError> {
        while let Some(finished) = self.segments.pop_front_if(|first| first.events == 0) {
            if self.segments.is_empty() {
                self.open = None;
            }
            self.returned.clear();
            std::fs::remove_file(&finished.path).named("delete", &finished.path)?;
        }
        Ok(())
    }

    /// Writes on into another file, such as one that takes nothing.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, file: File) {
        self.open = Some(file);
    }

    fn find_oldest(&mut self) {
        let first = self.segments.front().and_then(|first| first.read(1, 0).ok()?.into_iter().next());
        self.oldest = first.map(|(arrival, _)| arrival.received_at);
    }

    /// See [`super::Spool::set_aside`].
    pub(super) fn set_aside(&self, arrival: &Arrival) -> Result<String, SpoolError> {
        let path = self.slot.folder.join(format!("{}.set-aside", arrival.id));
        // An earlier attempt may have been interrupted.
        let _ = std::fs::remove_file(&path);
        let (_, mut file) = Segment::create(path.clone())?;
        let mut bytes = Vec::new();
        record::write(arrival, &mut bytes);
        file.write_all(&bytes).and_then(|()| file.sync_all()).named("write", &path)?;
        flush_folder(&self.slot.folder)?;
        Ok(path.display().to_string())
    }
}
