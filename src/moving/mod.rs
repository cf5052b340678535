//! Moving house: everything that a database keeps, written as lines of JSON, and read into another, which may be of the other kind.
//!
//! The first line says what it is, each of the following has one record, and the last has how many there are of each collection, and
//! a SHA-256 over their lines. What was read in is read out again in the end, and must come to the same.

mod export;
mod import;
mod tally;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::{NoRecord, StoreError};

pub use export::export;
pub use import::import;
pub use tally::{Sum, Tally};

/// The form of the lines.
const FORM: u32 = 1;

/// How many records wait between those who read and those who write.
const AHEAD: usize = 256;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
    /// The first one.
    #[serde(rename_all = "camelCase")]
    Lectern {
        /// See [`FORM`].
        form: u32,
        /// The version that wrote it.
        version: String,
    },
    /// A record.
    Record {
        /// Where it belongs.
        of: String,
        /// What it has.
        has: Map<String, Value>,
    },
    /// The last one.
    End(Tally),
}

/// Why something could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum MovingError {
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// How far the mirror is made anew does not move.
    #[error(
        "the mirror is being made anew: wait until that is through, which `lectern rebuild --status` tells, with a server running"
    )]
    Rebuilding,
    /// Lines could not be read or written.
    #[error("the lines can't be read or written: {0}")]
    Lines(#[from] std::io::Error),
    /// A line is none that was written by an export.
    #[error("line {number} is not what an export writes: {reason}")]
    Line {
        /// The line, from 1.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// A record can't be read.
    #[error("line {number}: {source}")]
    Record {
        /// The line, from 1.
        number: u64,
        /// What is wrong.
        source: NoRecord,
    },
    /// The last line is missing.
    #[error("the last line is missing: the export was not written to its end")]
    Unfinished,
    /// The lines do not come to what the last one says.
    #[error("`{collection}` does not come to what the last line says: the lines were changed or damaged")]
    Damaged {
        /// Where.
        collection: String,
    },
    /// What the database holds in the end is not what the lines say.
    #[error(
        "`{collection}` is not in the database as it is in the lines: {expected} records were to be there, {found} are. Do it again into a \
         database that is empty and that no server uses"
    )]
    Different {
        /// Where.
        collection: String,
        /// How many there were to be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// There is something in the database already.
    #[error(
        "the database is not empty ({collection}): import into a new one, or go on with an import that was interrupted by --resume"
    )]
    NotEmpty {
        /// What there is.
        collection: String,
    },
}
