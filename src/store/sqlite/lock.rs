//! Files that processes hold to keep each other out.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The right to serve a database file, for as long as this lives. The operating system gives it back when the process
/// ends, however it ends. Commands that only look something up, or add a token, don't need it.
#[derive(Debug)]
pub struct ServerLock {
    _held: File,
}

impl ServerLock {
    /// Takes the right to serve the database at `path`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when another process serves it, or the lock's file can't be made.
    pub fn acquire(path: &Path) -> Result<Self, StoreError> {
        let (file, name) = open_beside(path, ".lock")?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(
                format!(
                    "another Lectern serves {}: stop it first, or use PostgreSQL, which several processes can share",
                    path.display()
                )
                .into(),
            )),
            Err(TryLockError::Error(error)) => Err(cannot("lock", &name, &error)),
        }
    }
}

/// Waits until nobody else brings the schema up to date, and keeps others waiting while the file is held.
pub(super) async fn migration_lock(path: &Path) -> Result<File, StoreError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let (file, name) = open_beside(&path, ".migrating")?;
        file.lock().map_err(|error| cannot("lock", &name, &error))?;
        Ok(file)
    })
    .await
    .map_err(|error| StoreError::Failed(error.into()))?
}

fn open_beside(path: &Path, suffix: &str) -> Result<(File, PathBuf), StoreError> {
    let mut name = OsString::from(path);
    name.push(suffix);
    let name = PathBuf::from(name);
    let file = open_for_owner(&name)?;
    Ok((file, name))
}

/// Opens a file to write to it, and makes it if there is none, for its owner only: it may hold what customers wrote. The
/// files that SQLite puts beside a database are as open as the database.
pub(super) fn open_for_owner(name: &Path) -> Result<File, StoreError> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(name).map_err(|error| cannot("open", name, &error))
}

fn cannot(what: &str, name: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("cannot {what} {}: {error}", name.display()).into())
}
