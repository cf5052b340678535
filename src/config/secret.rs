//! Secrets: written in the configuration, or in a file that it names.

use std::convert::Infallible;
use std::fmt::Display;
use std::io;
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
    secret_as(inline, file, key, |secret| Ok::<_, Infallible>(secret.clone()))
}

/// The same as [`secret`], for a secret that must have a form: `read` turns it into what is needed. What `read` has
/// against it is said of the key that was used, and must not repeat the secret.
///
/// # Errors
/// As with [`secret`], and when `read` fails.
pub fn secret_as<T, E: Display>(
    inline: Option<SecretString>,
    file: Option<PathBuf>,
    key: &str,
    read: impl FnOnce(&SecretString) -> Result<T, E>,
) -> Result<Option<T>, SettingsError> {
    let inline = inline.filter(|inline| !inline.expose_secret().is_empty());
    let file = file.filter(|file| !file.as_os_str().is_empty());
    let (secret, used) = match (inline, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(SettingsError(format!("`{key}` and `{key}_file` are both set: keep one")));
        }
        (Some(inline), None) => (inline, key.to_owned()),
        (None, Some(file)) => {
            let secret = self::read(&file).map_err(|why| {
                SettingsError(format!("`{key}_file` names {}, which {why}", file.display()))
            })?;
            (secret, format!("{key}_file"))
        }
    };
    read(&secret).map(Some).map_err(|error| SettingsError(format!("`{used}`: {error}")))
}

/// Why a file holds no secret that could be used. It ends a sentence about the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("can't be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("is empty")]
    Empty,
    #[error("has more than one line")]
    SeveralLines,
}

/// Reads a file that holds a secret and nothing else; a newline at its end is not part of it.
pub(crate) fn read(path: &Path) -> Result<SecretString, Unusable> {
    let bytes = std::fs::read(path).map_err(Unusable::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| Unusable::NotUtf8)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Unusable::Empty);
    }
    if text.contains(['\n', '\r']) {
        return Err(Unusable::SeveralLines);
    }
    Ok(SecretString::from(text))
}

/// A secret that the configuration holds, the file that it was in, and where that or itself was written.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) value: SecretString,
    pub(super) file: Option<PathBuf>,
    pub(super) origin: Origin,
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
    File(PathBuf, Unusable),
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
        let (value, origin) = (SecretString::from(inline_text), inline.origin());
        return Ok(Some(Found { value, file: None, origin }));
    }
    let path = PathBuf::from(path);
    match read(&path) {
        Ok(value) => Ok(Some(Found { value, file: Some(path), origin: file.origin() })),
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
            Self::NoText => format!("{key} in {origin} must be {}", origin.advice("a text in quotes")),
            Self::FileIsNoText => {
                format!("{file_key} in {file_origin} must be {}", file_origin.advice("a path in quotes"))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_form_of_a_secret_is_said_of_the_key_that_was_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hunter2\n").unwrap();
        let refuse = |_: &SecretString| Err::<(), _>("this is no token");
        for (inline, file, sentence) in [
            (Some("hunter2"), None, "`token`: this is no token"),
            (None, Some(&file), "`token_file`: this is no token"),
            (Some(""), Some(&file), "`token_file`: this is no token"),
        ] {
            let error =
                secret_as(inline.map(SecretString::from), file.cloned(), "token", refuse).unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
        assert_eq!(secret_as(None, None, "token", refuse), Ok(None));
    }
}
