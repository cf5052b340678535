//! The spool: where events wait while the store is away. Whoever sent them was answered 200, so what is here must reach
//! the store, whatever happens to the process in between.
//!
//! It is a folder of *segments*, files that only grow, read from the front and deleted once all that is in them is in
//! the store. What is appended is on the disk when the call returns. A crash may leave a torn record at the end of a
//! segment: nobody was told that it is kept, so it is cut off. A crash may also come between the store's commit and the
//! deletion of a segment: then events reach the store twice, and its ledger tells.

mod adoption;
mod depth;
mod error;
mod look;
mod record;
mod segment;
mod segments;
mod slot;
mod walk;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use depth::Depth;
pub use error::SpoolError;
pub use look::{Seen, look};

use self::segments::Segments;
use crate::model::Arrival;

/// An event of a usual size takes no more. When there is not even room for that, the spool is full.
const USUAL: u64 = 16 * 1024;

/// How long a refusal is remembered. No longer: when nobody sends for it, nothing else would tell that it is over.
const REFUSING_FOR: Duration = Duration::from_secs(10);

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
    /// When an event was last refused, since one was last taken.
    refused: Mutex<Option<Instant>>,
}

impl Inside {
    /// Does something with the files, and tells how much waits then.
    fn with<T>(&self, run: impl FnOnce(&mut Segments) -> T) -> T {
        // Whoever panicked with the lock left the files as they were before or after a whole step.
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = run(&mut segments);
        // With the lock held, so that depths are told in the order in which they came about.
        self.depth.send_replace(segments.depth());
        outcome
    }
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
    pub async fn open(folder: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let folder = folder.to_owned();
        let opening = tokio::task::spawn_blocking(move || {
            let segments = Segments::open(&folder, max_bytes)?;
            let depth = watch::Sender::new(segments.depth());
            let inside =
                Inside { segments: Mutex::new(segments), depth, max_bytes, refused: Mutex::new(None) };
            adoption::adopt(&inside)?;
            Ok(Self { inside: Arc::new(inside) })
        });
        opening.await.map_err(|_| SpoolError::Interrupted)?
    }

    /// How much waits at this moment.
    #[must_use]
    pub fn depth(&self) -> Depth {
        *self.inside.depth.borrow()
    }

    /// How much may wait, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.inside.max_bytes
    }

    /// Whether it takes no more, until some of what waits is in the store.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inside.depth.borrow().bytes.saturating_add(USUAL) > self.inside.max_bytes
    }

    /// Whether an event was refused just now, which neither the store nor the spool took.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        self.refused().is_some_and(|refused| refused.elapsed() < REFUSING_FOR)
    }

    /// Notes that an event was refused; says whether it is the first since one was taken.
    pub fn note_refusal(&self) -> bool {
        self.refused().replace(Instant::now()).is_none()
    }

    /// Notes that events were taken, by the store or by the spool.
    pub fn note_taken(&self) {
        self.refused().take();
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.inside.refused.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Adds events at the end, in their order, as many as there is room for and as are written at once: returns how many, from the
    /// first on. When this returns `Ok`, they have reached the disk; after an error none of them is kept.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when not even the first may be added, [`SpoolError::File`] when the disk takes no more.
    pub async fn append(&self, arrivals: Vec<Arrival>) -> Result<usize, SpoolError> {
        self.blocking(move |segments| segments.append(&arrivals)).await
    }

    /// The first events, at most `at_most` of them and no more than fit a few MiB, but a few at least if there are any.
    /// They stay until they are [removed](Self::remove). A file that is gone, or can't be read after several calls, is
    /// given up.
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

    /// Takes over what processes that are gone have left since, by its time among what is here. What can't be read is left
    /// where it is, with an error in the log.
    ///
    /// # Errors
    /// [`SpoolError::File`] when their folders can't be read or their files not be moved.
    pub async fn adopt(&self) -> Result<(), SpoolError> {
        let inside = Arc::clone(&self.inside);
        let adopting = tokio::task::spawn_blocking(move || adoption::adopt(&inside));
        adopting.await.map_err(|_| SpoolError::Interrupted)?
    }

    async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Segments) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let inside = Arc::clone(&self.inside);
        let running = tokio::task::spawn_blocking(move || inside.with(run));
        running.await.map_err(|_| SpoolError::Interrupted)?
    }
}

#[cfg(test)]
mod tests;
