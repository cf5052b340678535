//! TLS and login: what of the settings says how brokers and Lectern know each other.

use std::path::Path;

use rdkafka::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};

use super::settings::Written;
use crate::config::{SettingsError, secret_as};
use crate::handlers::tls::Authorities;

/// Turns it into the client's own settings.
pub(super) fn set(written: Written, config: &mut ClientConfig) -> Result<(), SettingsError> {
    let tls = written.tls;
    for (key, file) in [
        ("ca_file", &written.ca_file),
        ("certificate_file", &written.certificate_file),
        ("key_file", &written.key_file),
    ] {
        if file.is_some() && tls != Some(true) {
            return mistake(format!("`{key}` is of no use without TLS: set `tls = true`"));
        }
    }
    match (&written.certificate_file, &written.key_file) {
        (Some(certificate), Some(key)) => {
            config
                .set("ssl.certificate.location", readable("certificate_file", certificate)?)
                .set("ssl.key.location", readable("key_file", key)?);
        }
        (None, None) => {}
        _ => return mistake("`certificate_file` and `key_file` belong together: set both"),
    }
    if tls == Some(true) {
        let authorities = match Authorities::read(written.ca_file.clone())? {
            Some(Authorities { path, .. }) => readable("ca_file", &path)?,
            // The client brings its own OpenSSL, which does not know where this system keeps its authorities.
            None => "probe".to_owned(),
        };
        config.set("ssl.ca.location", authorities);
    }
    let login = login(written)?;
    let protocol = match (tls, &login) {
        (Some(true), Some(_)) => "sasl_ssl",
        (Some(true), None) => "ssl",
        (Some(false), Some(_)) => "sasl_plaintext",
        (_, None) => "plaintext",
        // Nobody sends a password in the clear for want of a line.
        (None, Some(_)) => {
            return mistake(
                "the key `tls` is missing: `true`, or `false` where the network may see the password",
            );
        }
    };
    config.set("security.protocol", protocol);
    if let Some(Login { mechanism, username, password }) = login {
        config
            .set("sasl.mechanism", mechanism)
            .set("sasl.username", username)
            .set("sasl.password", password.expose_secret());
    }
    Ok(())
}

/// The file's name, once it is known that it can be read.
fn readable(key: &str, file: &Path) -> Result<String, SettingsError> {
    let refused = |why: String| SettingsError(format!("`{key}` names {}, which {why}", file.display()));
    std::fs::File::open(file).map_err(|error| refused(format!("can't be read: {error}")))?;
    Ok(file.to_str().ok_or_else(|| refused("has a name that is not UTF-8".to_owned()))?.to_owned())
}

/// How Kafka is told who we are. It has no `Debug`, as everything that holds a secret.
struct Login {
    mechanism: String,
    username: String,
    password: SecretString,
}

fn login(written: Written) -> Result<Option<Login>, SettingsError> {
    // The client could not be told of such a character, and would not say why.
    let told = |password: &SecretString| match password.expose_secret().contains('\0') {
        true => Err("a password has no zero characters"),
        false => Ok(password.clone()),
    };
    let password = secret_as(written.password, written.password_file, "password", told)?;
    let (mechanism, username, password) = match (written.mechanism, written.username, password) {
        (None, None, None) => return Ok(None),
        (Some(mechanism), Some(username), Some(password)) => (mechanism, username, password),
        (mechanism, username, _) => {
            let missing = match (mechanism, username) {
                (None, _) => "`mechanism`",
                (_, None) => "`username`",
                _ => "`password` (or `password_file`)",
            };
            return mistake(format!(
                "{missing} is missing: `mechanism`, `username` and `password` belong together"
            ));
        }
    };
    if !["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].contains(&mechanism.as_str()) {
        return mistake("`mechanism` must be \"PLAIN\", \"SCRAM-SHA-256\" or \"SCRAM-SHA-512\"");
    }
    Ok(Some(Login { mechanism, username, password }))
}

fn mistake<T>(message: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError(message.into()))
}
