//! Printing for the person who called.

use std::fmt::Display;
use std::io::{self, Write as _};

use super::failure::Failure;

/// Prints a line on standard output. A reader who has gone away ends the command quietly.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::NobodyListens),
        Err(error) => Err(Failure::failed(format!("standard output can't be written to: {error}"))),
    }
}

/// Prints a line on standard output for whoever still reads: one who has gone away changes nothing.
pub(super) fn line_if_read(text: impl Display) -> Result<(), Failure> {
    match line(text) {
        Err(Failure::NobodyListens) => Ok(()),
        said => said,
    }
}

/// Prints a line on standard error, if anybody is there to read it.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
