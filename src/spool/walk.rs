//! Going through a segment, event by event.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};

use super::record;
use crate::model::Arrival;

/// A way through a file up to a given place. What is no event any more is passed over: one damaged length must not take
/// everything behind it along.
pub(super) struct Walk {
    file: BufReader<File>,
    /// Where the last whole event ended.
    pub(super) at: u64,
    end: u64,
    /// Whether something was passed over.
    pub(super) passed_over: bool,
}

impl Walk {
    /// Begins at `at`, to end at `end`.
    pub(super) fn new(file: File, at: u64, end: u64) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(64 * 1024, file);
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, at, end, passed_over: false })
    }

    /// The next whole event; none when there is none up to the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Arrival>> {
        while self.at < self.end {
            if let Some((arrival, taken)) = record::read(&mut self.file, self.end - self.at)? {
                self.at += taken;
                return Ok(Some(arrival));
            }
            if !self.pass_over()? {
                break;
            }
        }
        Ok(None)
    }

    /// Whether an event stands behind the last whole one that is longer than what is there.
    pub(super) fn is_torn_event(&mut self) -> io::Result<bool> {
        self.file.seek(SeekFrom::Start(self.at))?;
        record::reaches_beyond(&mut self.file, self.end - self.at)
    }

    /// Goes to the next whole event, if there is one.
    fn pass_over(&mut self) -> io::Result<bool> {
        let from = self.at + 1;
        self.file.seek(SeekFrom::Start(from))?;
        let mut rest = Vec::new();
        (&mut self.file).take(self.end - from).read_to_end(&mut rest)?;
        let Some(place) = record::find(&rest) else { return Ok(false) };
        self.at = from + place as u64;
        self.passed_over = true;
        self.file.seek(SeekFrom::Start(self.at))?;
        Ok(true)
    }
}
