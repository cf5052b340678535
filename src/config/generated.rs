//! The secrets that the first start makes for itself: one file each in the data folder, for its owner only.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::secret;

/// The file of the default source's secret, in the data folder.
pub(super) const WEBHOOK_SECRET: &str = "webhook-secret";
/// The file of the API token, in the data folder.
pub(super) const API_TOKEN: &str = "api-token";

/// The data folder or a secret in it can't be made or read.
#[derive(Debug, thiserror::Error)]
#[error("{} {why}", .path.display())]
pub struct DataDirError {
    path: PathBuf,
    why: String,
}

/// Makes the data folder, for its owner only, unless it is there.
pub(super) fn make_folder(path: &Path) -> Result<(), DataDirError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| DataDirError {
        path: path.to_owned(),
        why: format!(
            "can't be made: {error}; name another folder with `data_dir` (LECTERN_DATA_DIR, --data-dir)"
        ),
    })
}

/// The secret in a file of the data folder, made now if it is not there. Of several processes that come at once, one
/// makes it and all get the same. Says also whether it was made now.
pub(super) fn read_or_make(path: &Path) -> Result<(SecretString, bool), DataDirError> {
    let made =
        !path.exists() && make(path).map_err(|error| error_at(path, format!("can't be made: {error}")))?;
    let secret = secret::read(path)
        .map_err(|why| error_at(path, format!("{why}; delete it, and the next start makes a new one")))?;
    Ok((secret, made))
}

/// The secret in a file of the data folder, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, DataDirError> {
    if !path.exists() {
        return Ok(None);
    }
    secret::read(path).map(Some).map_err(|why| error_at(path, why))
}

/// Writes a new secret beside its place, down to the disk, and then moves it there unless another one was faster.
/// Nobody ever sees half a file.
fn make(path: &Path) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Temporary files are made readable by their owner only.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    writeln!(file, "{}", random_text()?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error),
    }
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(true)
}

/// 256 random bits as 43 characters that need no quoting in a URL, a shell or a header.
pub(crate) fn random_text() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn error_at(path: &Path, why: String) -> DataDirError {
    DataDirError { path: path.to_owned(), why }
}
