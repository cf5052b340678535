//! The settings of the kind `kafka`.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use secrecy::SecretString;
use serde::Deserialize;

use super::security;
use crate::config::SettingsError;
use crate::handlers::broker::Address;

/// The largest request that Kafka's brokers take as they come. Smaller limits are theirs to say, and they do.
const LARGEST_MESSAGE: &str = "100000000";

/// As written. It has no `Debug`: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// Some brokers of the cluster, each as `host:port`; they name the others.
    brokers: Vec<String>,
    /// The topic to write to.
    topic: String,
    /// Whether to speak TLS.
    pub(super) tls: Option<bool>,
    /// The certificate authorities to trust, instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// A certificate that says who we are.
    pub(super) certificate_file: Option<PathBuf>,
    /// Its key.
    pub(super) key_file: Option<PathBuf>,
    /// How to log in: a SASL mechanism.
    pub(super) mechanism: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) password_file: Option<PathBuf>,
}

/// As meant.
pub(super) struct Checked {
    pub(super) topic: Address,
    pub(super) config: ClientConfig,
}

/// Checks all that can be checked before the first event.
pub(super) fn check(mut written: Written) -> Result<Checked, SettingsError> {
    let wrong = |key| move |why: String| SettingsError(format!("`{key}`: {why}"));
    let brokers = brokers(&written.brokers).map_err(wrong("brokers"))?;
    let topic = topic(std::mem::take(&mut written.topic)).map_err(wrong("topic"))?;
    let mut config = ClientConfig::new();
    config
        .set("client.id", "lectern")
        .set("bootstrap.servers", brokers)
        // Confirmed by all in-sync replicas, in order and without repetitions of the client's own.
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // As Java's clients: one key is in one partition whoever writes it.
        .set("partitioner", "murmur2_random")
        // A misspelt topic is a mistake, and not a new topic.
        .set("allow.auto.create.topics", "false")
        // Events are waited for one by one: there is nothing to gain from lingering for more of them.
        .set("linger.ms", "0")
        .set("message.max.bytes", LARGEST_MESSAGE)
        .set("socket.keepalive.enable", "true")
        .set("socket.connection.setup.timeout.ms", "10000")
        // A cluster that is back is found soon.
        .set("reconnect.backoff.max.ms", "1000");
    security::set(written, &mut config)?;
    Ok(Checked { topic, config })
}

fn brokers(written: &[String]) -> Result<String, String> {
    if written.is_empty() {
        return Err("name some, such as [\"kafka-1:9092\", \"kafka-2:9092\"]".to_owned());
    }
    match written.iter().position(|broker| !is_address(broker)) {
        Some(at) => Err(format!("number {} is no address; write it as \"host:port\"", at + 1)),
        None => Ok(written.join(",")),
    }
}

/// Whether this is a host, perhaps with a port: 9092 without.
fn is_address(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // An IPv6 address is in brackets, so that its end can be told.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "9092"),
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(ip) => ip.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_plain),
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port != 0)
}

/// By the brokers' own rule for names.
fn topic(text: String) -> Result<Address, String> {
    let topic = Address::new(text)?;
    let sample = topic.with("message.received");
    if sample.chars().all(is_plain) && sample.len() <= 249 && ![".", ".."].contains(&sample.as_str()) {
        Ok(topic)
    } else {
        Err("a topic's name has at most 249 letters, digits, `.`, `_` and `-`".to_owned())
    }
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}
