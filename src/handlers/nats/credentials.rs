//! Who Lectern is to a NATS server.

use std::fmt;
use std::path::PathBuf;

use async_nats::ConnectOptions;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};

use super::settings::Written;
use crate::config::{SettingsError, secret};

/// One of the ways in which NATS knows somebody.
pub(super) enum Credentials {
    Nobody,
    User(String, SecretString),
    Token(SecretString),
    /// The content of a file with a JWT and the key that belongs to it.
    File(PathBuf, SecretString),
}

/// What the settings call them.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("whoever brings no credentials"),
            Self::User(user, _) => write!(f, "the password of the user `{user}`"),
            Self::Token(_) => f.write_str("the token"),
            Self::File(path, _) => write!(f, "the credentials in {}", path.display()),
        }
    }
}

impl Credentials {
    /// Finds the one way that the settings choose. `user` and `password` are those of the address, as written there.
    pub(super) fn find(
        (user, password): (Option<&str>, Option<&str>),
        written: &Written,
    ) -> Result<Self, SettingsError> {
        let key = |name, inline: &Option<SecretString>, file: &Option<PathBuf>| {
            secret(inline.clone(), file.clone(), name)
        };
        let by_key = key("password", &written.password, &written.password_file)?;
        let token = key("token", &written.token, &written.token_file)?;
        let file = written.credentials_file.clone().filter(|file| !file.as_os_str().is_empty());
        match (decoded(user)?, decoded(password)?, by_key, token, file) {
            (None, None, None, None, None) => Ok(Self::Nobody),
            (Some(user), Some(password), None, None, None) => Ok(Self::User(user, password.into())),
            (Some(user), None, Some(password), None, None) => Ok(Self::User(user, password)),
            // That is how NATS writes a token in an address.
            (Some(token), None, None, None, None) => Ok(Self::Token(token.into())),
            (None, None, None, Some(token), None) => Ok(Self::Token(token)),
            (None, None, None, None, Some(file)) => Self::read(file),
            (None, _, Some(_), None, None) => Err(SettingsError(
                "`password` is set, but no user that it belongs to: write `url` as nats://USER@HOST:PORT".to_owned(),
            )),
            _ => Err(SettingsError(
                "there is more than one way to be known to the server: keep one of a user and a password, a token, and \
                 `credentials_file`"
                    .to_owned(),
            )),
        }
    }

    fn read(path: PathBuf) -> Result<Self, SettingsError> {
        let refused =
            |why: String| SettingsError(format!("`credentials_file` names {}, which {why}", path.display()));
        let content =
            std::fs::read_to_string(&path).map_err(|error| refused(format!("can't be read: {error}")))?;
        // What the library has against it may repeat a part of it.
        ConnectOptions::new().credentials(&content).map_err(|_| {
            refused("holds no JWT with its key: take the file that `nsc generate creds` writes".to_owned())
        })?;
        Ok(Self::File(path, content.into()))
    }

    /// Options to connect with these.
    pub(super) fn options(&self) -> std::io::Result<ConnectOptions> {
        let options = ConnectOptions::new();
        Ok(match self {
            Self::Nobody => options,
            Self::User(user, password) => {
                options.user_and_password(user.clone(), password.expose_secret().to_owned())
            }
            Self::Token(token) => options.token(token.expose_secret().to_owned()),
            Self::File(_, content) => options.credentials(content.expose_secret())?,
        })
    }
}

fn decoded(part: Option<&str>) -> Result<Option<String>, SettingsError> {
    let decode = |part| percent_decode_str(part).decode_utf8().map(Into::into);
    part.map(decode).transpose().map_err(|_| {
        SettingsError(
            "`url`: the user or the password is not UTF-8 after the percent signs are decoded".to_owned(),
        )
    })
}
