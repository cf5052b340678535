//! Secrets: written in the configuration, or in a file that it names.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::written::Written;
use super::{Origin, SettingsError};

/// The secret of a handler's settings, from the keys `secret` and `secret_file` or their like: give both as they
/// were read, and the name of the first. None when neither is set (an empty text counts as not set).
///
/// ```
/// use lectern::config::{Settings, SettingsError, secret};
/// use secrecy::SecretString;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Mine {
///     token: Option<SecretString>,
///     token_file: Option<std::path::PathBuf>,
/// }
///
/// fn token(settings: Settings) -> Result<Option<SecretString>, SettingsError> {
///     let mine: Mine = settings.read()?;
///     secret(mine.token, mine.token_file, "token")
/// }
/// ```
///
/// # Errors
/// When both are set, or the file can't be read, is empty or has several lines. The message never holds the secret.
pub fn secret(
    inline: Option<SecretString>,
    file: Option<PathBuf>,
    key: &str,
) -> Result<Option<SecretString>, SettingsError> {
    let inline = inline.filter(|inline| !inline.expose_secret().is_empty());
    let file = file.filter(|file| !file.as_os_str().is_empty());
    match (inline, file) {
        (Some(_), Some(_)) => Err(SettingsError(format!("`{key}` and `{key}_file` are both set: keep one"))),
        (Some(inline), None) => Ok(Some(inline)),
        (None, Some(file)) => read(&file)
            .map(Some)
            .map_err(|why| SettingsError(format!("`{key}_file` names {}, which {why}", file.display()))),
        (None, None) => Ok(None),
    }
}

/// Reads a file that holds a secret and nothing else; a newline at its end is not part of it. The error ends a
/// sentence about the file.
pub(crate) fn read(path: &Path) -> Result<SecretString, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("can't be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.contains(['\n', '\r']) {
        return Err("has more than one line".to_owned());
    }
    Ok(SecretString::from(text))
}

/// A secret that the configuration holds, and the file that it was in.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) value: SecretString,
    pub(super) file: Option<PathBuf>,
}

impl Found {
    pub(super) fn expose(&self) -> &str {
        self.value.expose_secret()
    }
}

/// What is shown of a secret.
pub(super) fn hidden(_: &str) -> String {
    "(hidden)".to_owned()
}

/// Why a secret can't be used.
pub(super) enum Problem {
    NoText,
    FileIsNoText,
    Both,
    File(PathBuf, String),
}

/// Finds the secret of two keys. When both are set, the one from the higher layer is meant: a variable takes the
/// place of a file that the configuration file names.
pub(super) fn find(inline: &Written, file: &Written) -> Result<Option<Found>, Problem> {
    let inline_text = inline.text().ok_or(Problem::NoText)?;
    let path = file.text().ok_or(Problem::FileIsNoText)?;
    let by_file = match (inline_text.is_empty(), path.is_empty()) {
        (true, true) => return Ok(None),
        (false, false) => match inline.origin().layer().cmp(&file.origin().layer()) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => return Err(Problem::Both),
            std::cmp::Ordering::Greater => false,
        },
        (inline_is_empty, _) => inline_is_empty,
    };
    if !by_file {
        return Ok(Some(Found { value: SecretString::from(inline_text), file: None }));
    }
    let path = PathBuf::from(path);
    match read(&path) {
        Ok(value) => Ok(Some(Found { value, file: Some(path) })),
        Err(why) => Err(Problem::File(path, why)),
    }
}

impl Problem {
    pub(super) fn sentence(
        &self,
        key: &str,
        file_key: &str,
        origin: &Origin,
        file_origin: &Origin,
    ) -> String {
        match self {
            Self::NoText => format!("{key} in {origin} must be a text in quotes"),
            Self::FileIsNoText => format!("{file_key} in {file_origin} must be a path in quotes"),
            Self::Both if origin == file_origin => {
                format!("{key} and {file_key} are both set in {origin}: keep one")
            }
            Self::Both => format!("{key} in {origin} and {file_key} in {file_origin} are both set: keep one"),
            Self::File(path, why) => {
                format!("{file_key} in {file_origin} names {}, which {why}", path.display())
            }
        }
    }
}
