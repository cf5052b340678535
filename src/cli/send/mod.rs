//! `lectern send`: sample events, signed as Podium signs them.

mod load;
mod post;
mod report;
mod sample;

use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use reqwest::Url;
use secrecy::SecretString;

use self::post::Sender;
use super::failure::Failure;
use super::kept_secrets;
use super::welcome::reachable;
use crate::config::{Loaded, SourceError, read_secret};
use crate::podium::SigningKey;

/// Up to this many events, each is shown on a line of its own, and they are sent one after another.
const FEW: u64 = 50;
/// How many connections are used for more than a few.
const CONNECTIONS_FOR_MANY: u16 = 16;

#[derive(Args)]
#[command(
    after_long_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).multiple(true).args(["types", "all", "test", "file"])
)]
pub(super) struct Arguments {
    /// The types of event, such as `message.received` or `message.*`
    #[arg(value_name = "TYPE", conflicts_with_all = ["all", "test", "file"])]
    types: Vec<String>,
    /// One of each type that Podium sends
    #[arg(long, conflicts_with_all = ["test", "file"])]
    all: bool,
    /// What the "Send Test" button of Podium's developer portal sends
    #[arg(long, conflicts_with = "file")]
    test: bool,
    /// The bytes of this file, exactly as they are
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Where to [default: the configured public listener on this machine]
    #[arg(long, value_name = "URL", value_parser = address)]
    to: Option<Url>,
    /// The source whose secret and path are used
    #[arg(long, value_name = "NAME", default_value = "default")]
    source: String,
    /// The secret to sign with [default: the source's, configured or made by the first start]
    #[arg(long, conflicts_with = "secret_file", value_parser = secret_argument)]
    secret: Option<SecretString>,
    /// A file that holds the secret to sign with
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// How many events in all, of the types in turn [default: one of each]
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// How many a second at most; latencies then count from when an event was due [default: no limit]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How many connections send side by side, one for order [default: 1, or 16 for more than 50 events]
    #[arg(long, value_name = "N")]
    connections: Option<NonZeroU16>,
    /// Spread the events over this many conversations [default: the one of the samples]
    #[arg(long, value_name = "N")]
    conversations: Option<NonZeroU64>,
}

const EXAMPLES: &str = "\
Examples:
  One event to the server on this machine:
    lectern send message.received
  One event of every type:
    lectern send --all
  Load:
    lectern send 'message.*' --count 100000 --connections 64 --conversations 1000
  To a server elsewhere:
    lectern send --test --to https://podium.example.com/webhooks/podium --secret-file secret
  A body of your own, to another source:
    lectern send --file body.json --source north

Ends with 1 unless every event was answered 200.";

/// Sends what was asked for, and says what became of it.
pub(super) async fn run(arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let samples = sample::chosen(&arguments)?;
    let url = match &arguments.to {
        Some(url) => url.clone(),
        None => local_url(loaded, &arguments.source)?,
    };
    let count = arguments.count.map_or(samples.len() as u64, NonZeroU64::get);
    let connections = arguments
        .connections
        .map_or_else(|| if count <= FEW { 1 } else { CONNECTIONS_FOR_MANY }, NonZeroU16::get);
    let sender = Sender::new(post::What {
        samples,
        conversations: arguments.conversations.map_or(0, NonZeroU64::get),
        key: key(&arguments, loaded).await?,
        url,
        connections,
    })?;
    load::run(sender, load::Plan { count, connections, rate: arguments.rate }).await
}

/// What else there is when the data folder has no secret to sign with.
const ELSEWHERE: &str = "\nA server that has its secret from the environment or a file needs the same one here: \
                         give it with PODIUM_WEBHOOK_SECRET, --secret or --secret-file";

fn local_url(loaded: &Loaded, source: &str) -> Result<Url, Failure> {
    let listen = reachable(loaded.public().listen);
    if listen.port() == 0 {
        return Err(Failure::usage(
            "`public.listen` has the port 0, so where the server is must be said with --to",
        ));
    }
    let source = if source == "default" { String::new() } else { format!("/{source}") };
    Ok(Url::parse(&format!("http://{listen}/webhooks/podium{source}"))?)
}

/// The key to sign with; none for a source that takes unsigned requests and has no secret.
async fn key(arguments: &Arguments, loaded: &Loaded) -> Result<Option<SigningKey>, Failure> {
    use secrecy::ExposeSecret as _;

    let secret = match (&arguments.secret, &arguments.secret_file) {
        (Some(secret), _) => Some(secret.clone()),
        (None, Some(file)) => {
            let secret = read_secret(file);
            Some(secret.map_err(|why| Failure::failed(format!("the secret file {} {why}", file.display())))?)
        }
        (None, None) => {
            let configured = loaded.secret(&arguments.source).map_err(|error| match error {
                SourceError::Unknown { .. } => error.into(),
                SourceError::NotMade(_) | SourceError::DataDir(_) => {
                    Failure::failed(format!("{error}{ELSEWHERE}"))
                }
            })?;
            match configured {
                Some(secret) => Some(secret),
                None => {
                    let kept = kept_secrets::all(loaded).await?;
                    let its = kept.into_iter().find(|kept| kept.source == arguments.source);
                    its.map(|kept| kept.secret.value)
                }
            }
        }
    };
    Ok(secret.map(|secret| SigningKey::new(secret.expose_secret())))
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.ok_or_else(|| "it must be an address such as http://127.0.0.1:8080/webhooks/podium".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "what a value parser returns")]
fn secret_argument(text: &str) -> Result<SecretString, String> {
    Ok(SecretString::from(text))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "a rate is a number of events a second, from 0.001 to 1000000".to_owned())
}
