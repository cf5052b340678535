//! The secrets that the first start makes for itself: one file each in the data folder, for its owner only.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::Podium;
use super::secret::{self, Unusable};

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

impl DataDirError {
    /// `why` ends a sentence that begins with the path.
    pub(super) fn new(path: &Path, why: String) -> Self {
        Self { path: path.to_owned(), why }
    }
}

/// The file of the key that seals, in the data folder.
pub(super) const ENCRYPTION_KEY: &str = "encryption-key";

/// What seals tokens and secrets in the store: as configured, or what the data folder has, made now if it is not there.
///
/// # Errors
/// When it can't be made or read.
pub fn encryption_key(podium: &Podium, data_dir: &Path) -> Result<SecretString, DataDirError> {
    if let Some(key) = &podium.encryption_key {
        return Ok(key.clone());
    }
    make_folder(data_dir)?;
    Ok(read_or_make(&data_dir.join(ENCRYPTION_KEY))?.0)
}

/// Whether there is such a key already.
#[must_use]
pub fn has_encryption_key(podium: &Podium, data_dir: &Path) -> bool {
    podium.encryption_key.is_some() || data_dir.join(ENCRYPTION_KEY).exists()
}

/// The webhook's secret that the first start has made, if it has.
#[must_use]
pub fn generated_webhook_secret(data_dir: &Path) -> Option<SecretString> {
    read(&data_dir.join(WEBHOOK_SECRET)).ok().flatten()
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
    if let Some(secret) = read(path)? {
        return Ok((secret, false));
    }
    let made = make(path).map_err(|error| DataDirError::new(path, format!("can't be made: {error}")))?;
    let secret = secret::read(path).map_err(|why| DataDirError::new(path, advice(path, &why)))?;
    Ok((secret, made))
}

/// The secret in a file of the data folder, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, DataDirError> {
    match secret::read(path) {
        Ok(secret) => Ok(Some(secret)),
        Err(Unusable::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(DataDirError::new(path, advice(path, &why))),
    }
}

/// What is wrong with a file in which a secret should be, and what to do. Only a file without a secret may go: with
/// another one, everything that Podium sends would be refused.
fn advice(path: &Path, why: &Unusable) -> String {
    match why {
        Unusable::Unreadable(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("can't be read by this user: {error}; let this user read it, or be the user who made it")
        }
        Unusable::Unreadable(_) => why.to_string(),
        _ if path.ends_with(WEBHOOK_SECRET) => format!(
            "{why}; put the secret into it that the webhook has at Podium, or delete it: the next start makes a new \
             one, which must then be set at Podium anew"
        ),
        _ => format!(
            "{why}; put the token into it that your systems use, or delete it: the next start makes a new one"
        ),
    }
}

/// Writes a new secret beside its place, down to the disk, and then moves it there unless another one was faster.
/// Nobody ever sees half a file.
fn make(path: &Path) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Temporary files are made readable by their owner only. Of an error the kind is told: the rest is the name of a
    // file that nobody knows.
    let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder);
    let file = file.map_err(|error| io::Error::from(error.kind()))?;
    writeln!(file.as_file(), "{}", random_text()?)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, why: &Unusable) -> String {
        DataDirError::new(Path::new(name), advice(Path::new(name), why)).to_string()
    }

    #[test]
    fn a_secret_that_another_user_keeps_is_not_to_be_deleted() {
        let denied = || Unusable::Unreadable(io::Error::from(io::ErrorKind::PermissionDenied));
        for name in [WEBHOOK_SECRET, API_TOKEN] {
            assert_eq!(
                said(name, &denied()),
                format!(
                    "{name} can't be read by this user: permission denied; let this user read it, or be the user who \
                     made it"
                )
            );
        }
        let other = Unusable::Unreadable(io::Error::other("the disk is away"));
        assert_eq!(said(API_TOKEN, &other), "api-token can't be read: the disk is away");
    }

    #[test]
    fn a_secret_that_must_be_made_anew_must_be_set_at_podium_anew() {
        let said = said(WEBHOOK_SECRET, &Unusable::Empty);
        assert!(
            said.ends_with("the next start makes a new one, which must then be set at Podium anew"),
            "{said}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named_by_its_own_name() {
        let error = read_or_make(Path::new("no-such-folder/webhook-secret")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-folder/webhook-secret can't be made: "), "{error}");
        assert!(!error.contains(".new-"), "{error}");
    }
}
