//! What a program writes.

use std::io;
use std::io::PipeWriter;
use std::os::fd::OwnedFd;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use crate::handlers::excerpt::{self, Secrets};

/// The reading side of one pipe for both outputs, so that their lines stay in the order in which they were written.
pub(super) struct Output {
    pipe: Receiver,
    kept: Vec<u8>,
}

impl Output {
    /// A pipe. The output ends when every copy of the writer is closed.
    pub(super) fn new() -> io::Result<(Self, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((Self { pipe, kept: Vec::new() }, writer))
    }

    /// Reads to the end and keeps the last of it. It can be stopped anywhere and called again.
    pub(super) async fn read(&mut self) {
        let mut chunk = [0; 8192];
        while let Ok(length @ 1..) = self.pipe.read(&mut chunk).await {
            self.kept.extend_from_slice(&chunk[..length]);
            self.kept.drain(..self.kept.len().saturating_sub(excerpt::READ));
        }
    }

    /// The end of what was read, without what is secret.
    pub(super) fn end(&self, secrets: &Secrets) -> Option<String> {
        excerpt::end(&self.kept, secrets)
    }
}
