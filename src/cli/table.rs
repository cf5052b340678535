//! Tables, as a person reads them.

use std::fmt;

use jiff::{Timestamp, Unit};

/// Columns under their headings, each as wide as its widest cell.
pub(super) struct Table<const COLUMNS: usize>(Vec<[String; COLUMNS]>);

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// Nothing but the headings.
    pub(super) fn new(headings: [&str; COLUMNS]) -> Self {
        Self(vec![headings.map(str::to_owned)])
    }

    /// Adds a line.
    pub(super) fn add(&mut self, cells: [String; COLUMNS]) {
        self.0.push(cells);
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; COLUMNS];
        for line in &self.0 {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (number, line) in self.0.iter().enumerate() {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A moment to the second: nobody reads more.
pub(super) fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.round(Unit::Second).unwrap_or(at).to_string())
}
