//! The settings of the kind `rabbitmq`.

use std::fmt;
use std::path::PathBuf;

use lapin::tcp::OwnedTLSConfig;
use lapin::types::ShortString;
use lapin::uri::{AMQPScheme, AMQPUri};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::config::{SettingsError, secret};
use crate::handlers::broker::Address;
use crate::handlers::tls::{self, Authorities};

/// How often each side gives a sign of life, in seconds: one that gives none for twice as long is taken for lost.
const HEARTBEAT: u16 = 20;

/// As written. It has no `Debug`: the address may hold a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    url: String,
    /// None, or an empty text: the exchange by which each queue is reached by its name.
    #[serde(default)]
    exchange: String,
    routing_key: Option<String>,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// As meant: a place in RabbitMQ.
pub(super) struct Checked {
    pub(super) server: Server,
    pub(super) exchange: ShortString,
    pub(super) routing_key: Address,
}

/// Where RabbitMQ is, and how to be let in. It has no `Debug`: that of the address shows the password.
pub(super) struct Server {
    pub(super) uri: AMQPUri,
    pub(super) tls: OwnedTLSConfig,
}

impl Server {
    /// Whether the connection is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }
}

/// `RabbitMQ at host:5672`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { authority, .. } = &self.uri;
        write!(f, "RabbitMQ at {}:{}", authority.host, authority.port)
    }
}

/// Checks all that can be checked before the first event.
pub(super) fn check(written: Written) -> Result<Checked, SettingsError> {
    let Written { url, exchange, routing_key, password, password_file, ca_file } = written;
    let wrong = |key| move |why: String| SettingsError(format!("`{key}`: {why}"));
    let uri = uri(&url, secret(password, password_file, "password")?).map_err(wrong("url"))?;
    let routing_key = match routing_key {
        Some(key) => key,
        // What is published to an exchange is sorted by its type there.
        None if !exchange.is_empty() => "{event_type}".to_owned(),
        None => {
            return Err(SettingsError(
                "`exchange` or `routing_key` is missing: without an exchange, the routing key is a queue's name"
                    .to_owned(),
            ));
        }
    };
    let authorities = Authorities::read(ca_file)?;
    if authorities.is_some() && uri.scheme == AMQPScheme::AMQP {
        return Err(SettingsError("`ca_file` is for TLS: write `url` as amqps://HOST".to_owned()));
    }
    let cert_chain = authorities.map(|authorities| String::from_utf8_lossy(&authorities.pem).into_owned());
    tls::use_ring();
    Ok(Checked {
        server: Server { uri, tls: OwnedTLSConfig { identity: None, cert_chain } },
        exchange: ShortString::try_new(exchange)
            .map_err(|_| wrong("exchange")("a name has at most 255 bytes".to_owned()))?,
        routing_key: Address::new(routing_key).map_err(wrong("routing_key"))?,
    })
}

/// The messages never repeat the address: it may hold a password.
fn uri(text: &str, password: Option<SecretString>) -> Result<AMQPUri, String> {
    const AN_ADDRESS: &str = "write it as amqp://USER:PASSWORD@HOST:PORT/VHOST, where all but HOST may be left out; \
                              amqps:// for TLS";
    let url = Url::parse(text).map_err(|_| AN_ADDRESS)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AN_ADDRESS)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("nothing can stand behind a `?` or `#`; {AN_ADDRESS}"));
    }
    let mut uri: AMQPUri = text.parse().map_err(|_| AN_ADDRESS)?;
    // What the library makes of these is another thing: of IPv6 no host at all, of a lone `/` a virtual host of an empty name,
    // which nobody has, and of a user without a password one whose password is that of `guest`.
    host.trim_start_matches('[').trim_end_matches(']').clone_into(&mut uri.authority.host);
    if uri.vhost.is_empty() {
        uri.vhost = AMQPUri::default().vhost;
    }
    match (url.username().is_empty(), url.password(), password) {
        (true, None, None) | (false, Some(_), None) => {}
        (false, None, Some(password)) => {
            password.expose_secret().clone_into(&mut uri.authority.userinfo.password);
        }
        (_, Some(_), Some(_)) => return Err("it has a password, and `password` is set: keep one".to_owned()),
        (true, _, _) => return Err(format!("there is a password and no user; {AN_ADDRESS}")),
        (false, None, None) => {
            return Err("it has a user and no password: set `password` or `password_file`".to_owned());
        }
    }
    uri.query.heartbeat = Some(HEARTBEAT);
    Ok(uri)
}
