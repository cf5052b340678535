//! The spool: where events wait while the store is away. Whoever sent them was answered 200, so what is here must reach
//! the store, whatever happens to the process in between.
//!
//! It is a folder of *segments*, files that only grow, read from the front and deleted once all that is in them is in
//! the store. What is appended is on the disk when the call returns. A crash may leave a torn record at the end of a
//! segment: nobody was told that it is kept, so it is cut off. A crash may also come between the store's commit and the
//! deletion of a segment: then events reach the store twice, and its ledger tells.

mod depth;
mod error;
mod record;
mod segment;
mod segments;
mod slot;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

pub use depth::Depth;
pub use error::SpoolError;

use self::segments::Segments;
use crate::model::Arrival;

/// Events that wait for the store, in the order in which they came. Clones are the same spool.
#[derive(Clone, Debug)]
pub struct Spool {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    /// Held while files are read and written, so only ever on a thread that may wait.
    segments: Mutex<Segments>,
    depth: watch::Sender<Depth>,
    max_bytes: u64,
}

impl Spool {
    /// Opens the spool in `folder` and finds what an earlier process left there. No two processes have the same files:
    /// each takes a numbered folder of its own within `folder`, and what it finds in those of processes that are gone
    /// becomes its own.
    ///
    /// At most `max_bytes` are kept.
    ///
    /// # Errors
    /// When the folder can't be made, locked, read or written.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let mut segments = Segments::open(folder, max_bytes)?;
        let depth = watch::Sender::new(segments.depth());
        Ok(Self { inside: Arc::new(Inside { segments: Mutex::new(segments), depth, max_bytes }) })
    }

    /// How much waits at this moment.
    #[must_use]
    pub fn depth(&self) -> Depth {
        *self.inside.depth.borrow()
    }

    /// Whether it takes no more, until some of what waits is in the store.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inside.depth.borrow().bytes >= self.inside.max_bytes
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inside.depth.borrow().events == 0
    }

    /// Follows how much waits.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Depth> {
        self.inside.depth.subscribe()
    }

    /// Adds events at the end, in their order. When this returns `Ok`, they have reached the disk; after an error none of
    /// them is kept.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when there would be more than was agreed, [`SpoolError::File`] when the disk takes no more.
    pub async fn append(&self, arrivals: Vec<Arrival>) -> Result<(), SpoolError> {
        self.blocking(move |segments| segments.append(&arrivals)).await
    }

    /// The first events, at most `at_most` of them and no more than fit a few MiB, but one at least if there is one. They
    /// stay until they are [removed](Self::remove).
    ///
    /// # Errors
    /// [`SpoolError::File`] when they can't be read.
    pub async fn first(&self, at_most: usize) -> Result<Vec<Arrival>, SpoolError> {
        self.blocking(move |segments| segments.first(at_most)).await
    }

    /// Removes the first `count` of the events that were [returned last](Self::first): they are in the store.
    ///
    /// # Errors
    /// [`SpoolError::File`] when a file that is done with can't be deleted. It is left then, and comes again at the next
    /// start.
    pub async fn remove(&self, count: usize) -> Result<(), SpoolError> {
        self.blocking(move |segments| segments.remove(count)).await
    }

    /// Keeps an event in a file of its own, out of the way, for a person: the store takes others, and never this one.
    /// Returns the name of the file.
    ///
    /// # Errors
    /// [`SpoolError::File`] when the file can't be written.
    pub async fn set_aside(&self, arrival: Arrival) -> Result<String, SpoolError> {
        self.blocking(move |segments| segments.set_aside(&arrival)).await
    }

    /// Takes over what processes that are gone have left since.
    ///
    /// # Errors
    /// [`SpoolError::File`] when their files can't be read or moved.
    pub async fn adopt(&self) -> Result<(), SpoolError> {
        self.blocking(Segments::adopt).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Segments) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let inside = Arc::clone(&self.inside);
        let running = tokio::task::spawn_blocking(move || {
            // Whoever panicked with the lock left the files as they were before or after a whole step.
            let mut segments = inside.segments.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = run(&mut segments);
            // With the lock held, so that depths are told in the order in which they came about.
            inside.depth.send_replace(segments.depth());
            outcome
        });
        running.await.map_err(|_| SpoolError::Interrupted)?
    }
}

#[cfg(test)]
mod tests;
