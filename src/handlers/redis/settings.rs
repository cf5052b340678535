//! The settings of the kind `redis`.

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::config::{SettingsError, secret};
use crate::handlers::broker::Address;
use crate::handlers::tls::{self, Authorities};

/// As written. It has no `Debug`: the address may hold a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    url: String,
    /// The key of the stream to add to.
    stream: String,
    /// About how many entries the stream may have.
    maxlen: Option<NonZeroU64>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// As meant: a place in Redis.
pub(super) struct Checked {
    pub(super) client: Client,
    pub(super) stream: Address,
    pub(super) maxlen: Option<NonZeroU64>,
}

/// `Redis at host:6379`.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                write!(f, "Redis at {host}:{port}")
            }
            _ => f.write_str("Redis"),
        }
    }
}

/// Checks all that can be checked before the first event.
pub(super) fn check(written: Written) -> Result<Checked, SettingsError> {
    let Written { url, stream, maxlen, password, password_file, ca_file } = written;
    let wrong = |why: &str| SettingsError(format!("`url`: {why}"));
    let mut server = server(&url).map_err(wrong)?;
    if let Some(password) = secret(password, password_file, "password")? {
        if server.redis_settings().password().is_some() {
            return Err(SettingsError("`url` has a password, and `password` is set: keep one".to_owned()));
        }
        let settings = server.redis_settings().clone().set_password(password.expose_secret());
        server = server.set_redis_settings(settings);
    }
    let stream = Address::new(stream).map_err(|why| SettingsError(format!("`stream`: {why}")))?;
    tls::use_ring();
    let client = match Authorities::read(ca_file)? {
        None => Client::open(server),
        Some(_) if !matches!(server.addr(), ConnectionAddr::TcpTls { .. }) => {
            return Err(SettingsError("`ca_file` is for TLS: write `url` as rediss://HOST:PORT".to_owned()));
        }
        Some(Authorities { pem, .. }) => {
            Client::build_with_tls(server, TlsCertificates { client_tls: None, root_cert: Some(pem) })
        }
    };
    Ok(Checked { client: client.map_err(|_| wrong(AN_ADDRESS))?, stream, maxlen })
}

const AN_ADDRESS: &str = "write it as redis://USER:PASSWORD@HOST:PORT/DATABASE, where all but HOST may be left out; rediss:// for TLS";

/// The messages never repeat the address: it may hold a password.
fn server(text: &str) -> Result<ConnectionInfo, &'static str> {
    let url = redis::parse_redis_url(text).ok_or(AN_ADDRESS)?;
    // By the part behind the number sign the library can be told not to look at certificates.
    if !["redis", "rediss"].contains(&url.scheme()) || url.fragment().is_some() {
        return Err(AN_ADDRESS);
    }
    url.into_connection_info().map_err(|_| AN_ADDRESS)
}
