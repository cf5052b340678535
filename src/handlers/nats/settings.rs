//! The settings of the kind `nats`.

use std::fmt;
use std::path::PathBuf;

use async_nats::{ConnectOptions, ServerAddr};
use secrecy::SecretString;
use serde::Deserialize;

use super::credentials::Credentials;
use crate::config::SettingsError;
use crate::handlers::broker::Address;
use crate::handlers::tls::{self, Authorities};

/// As written. It has no `Debug`: the address may hold a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// One server, or several of one cluster with commas between them.
    url: String,
    /// Where to publish.
    subject: String,
    pub(super) password: Option<SecretString>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) token: Option<SecretString>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) credentials_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// Where NATS is, and how to be let in.
pub(super) struct Server {
    /// Without credentials.
    pub(super) addresses: Vec<ServerAddr>,
    pub(super) credentials: Credentials,
    authorities: Option<Authorities>,
}

/// `NATS at host:4222`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, address) in self.addresses.iter().enumerate() {
            let before = if at == 0 { "NATS at " } else { ", " };
            write!(f, "{before}{}:{}", address.host(), address.port())?;
        }
        Ok(())
    }
}

impl Server {
    /// Options for a connection that is made once, and not made anew by the library.
    pub(super) fn options(&self) -> std::io::Result<ConnectOptions> {
        let mut options = self.credentials.options()?;
        if let Some(Authorities { path, .. }) = &self.authorities {
            options = options.add_root_certificates(path.clone());
        }
        // The fewest tries that there can be: one of each server. Were there others to discover, they would count, too.
        Ok(options
            .name(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .ignore_discovered_servers()
            .max_reconnects(self.addresses.len()))
    }
}

/// Checks all that can be checked before the first event.
pub(super) fn check(written: Written) -> Result<(Server, Address), SettingsError> {
    let addresses = addresses(&written.url).map_err(|why| SettingsError(format!("`url`: {why}")))?;
    let with_user = addresses.iter().find(|address| address.has_user_pass());
    let in_address = with_user.map_or((None, None), |address| (address.username(), address.password()));
    let credentials = Credentials::find(in_address, &written)?;
    let subject = subject(written.subject).map_err(|why| SettingsError(format!("`subject`: {why}")))?;
    let addresses = addresses.iter().map(bare).collect::<Result<_, _>>()?;
    tls::use_ring();
    Ok((Server { addresses, credentials, authorities: Authorities::read(written.ca_file)? }, subject))
}

const AN_ADDRESS: &str = "write it as nats://HOST:PORT, or tls://HOST:PORT for TLS; several of one cluster with commas \
                          between them";

/// The messages never repeat the address: it may hold a password or a token.
fn addresses(text: &str) -> Result<Vec<ServerAddr>, String> {
    let one = |text: &str| {
        let address: ServerAddr = text.trim().parse().map_err(|_| AN_ADDRESS)?;
        let is_possible = ["nats", "tls"].contains(&address.scheme()) && !address.host().is_empty();
        if is_possible { Ok(address) } else { Err(AN_ADDRESS) }
    };
    let addresses: Vec<ServerAddr> = text.split(',').map(one).collect::<Result<_, _>>()?;
    let user =
        |address: &ServerAddr| (address.username().map(str::to_owned), address.password().map(str::to_owned));
    let mut users: Vec<_> = addresses.iter().filter(|address| address.has_user_pass()).map(user).collect();
    users.dedup();
    if users.len() > 1 {
        return Err(
            "the servers of one cluster have the same users: write one and the same, or only one".to_owned()
        );
    }
    Ok(addresses)
}

/// The address alone: the library writes addresses to its log.
fn bare(address: &ServerAddr) -> Result<ServerAddr, SettingsError> {
    let (scheme, port) = (address.scheme(), address.port());
    let host = address.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{host}:{port}").parse().map_err(|_| SettingsError(format!("`url`: {AN_ADDRESS}")))
}

fn subject(text: String) -> Result<Address, String> {
    let subject = Address::new(text)?;
    let sample = subject.with("message.received");
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.contains(|c: char| c.is_whitespace() || c.is_control() || ['*', '>'].contains(&c))
    };
    if !sample.split('.').all(is_word) {
        return Err("must be words with full stops between them, without spaces, `*` and `>`, such as \
                    podium.{event_type}"
            .to_owned());
    }
    Ok(subject)
}
