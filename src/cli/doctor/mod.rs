//! `lectern doctor`: why a request is not accepted, and what to do about it.

mod by_hand;
mod quarantined;
mod request;
mod show;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use self::show::Origin;
use super::failure::Failure;
use super::{kept_secrets, output};
use crate::config::{Loaded, SourceConfig, SourceError, read_secret};
use crate::doctor::{Candidate, Examined, Rules, Window, examine};
use crate::model::{Header, QuarantineId};
use crate::upkeep::KeptSecret;

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The id of a request in quarantine [default: the newest one there]
    #[arg(value_parser = quarantined::id)]
    #[arg(conflicts_with_all = ["request", "headers", "header", "body", "source", "at"])]
    id: Option<QuarantineId>,

    /// A whole request as it went over the wire: request line, headers, an empty line, the body
    #[arg(long, value_name = "FILE", conflicts_with_all = ["headers", "header", "body"])]
    request: Option<PathBuf>,
    /// The headers, a `name: value` on each line; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "body")]
    headers: Option<PathBuf>,
    /// A header, as often as there are some
    #[arg(short = 'H', long, value_name = "NAME: VALUE", requires = "body")]
    header: Vec<String>,
    /// The body, byte for byte; `-` is standard input
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// The source that it came to [default: any in quarantine; by hand what the
    /// path of --request says, else `default`]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// When it was received, such as 2026-11-22T09:30:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A file with a secret that it may have been signed with, besides the configured ones; may be repeated
    #[arg(long, value_name = "FILE")]
    secret_file: Vec<PathBuf>,
    /// Prints JSON, for programs
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  The newest request in quarantine, or the newest there of one source:
    lectern doctor
    lectern doctor --source north
  One of them, by the id that `GET /api/v1/quarantine` lists and a held one was answered with:
    lectern doctor 01a2027b-da68-7002-8c1d-77e0a4c9b35f
  Headers and body by hand:
    lectern doctor -H 'podium-timestamp: 1620771659663' -H 'podium-signature: 4d09f2…' --body body.json
  Headers in a file, a `name: value` on each line:
    lectern doctor --headers headers.txt --body body.json --at 2026-11-22T09:30:00Z
  A whole request, as a proxy logs it or `nc -l 8080` shows it, to another source:
    lectern doctor --request request.txt --source north
  With a secret that may be the right one:
    lectern doctor --request request.txt --secret-file old-secret

It tries the secrets of every source, and prints none of them.
Ends with 0 when the request would be accepted, with 1 when not, with 2 when it can't be examined.";

/// What is examined.
struct Case {
    source: String,
    headers: Vec<Header>,
    body: Bytes,
    received_at: Timestamp,
    origin: Origin,
}

/// Examines a request, and says what was found.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    if let Some(source) = &arguments.source {
        configuration(loaded, source)?;
    }
    let case = if arguments.is_by_hand() {
        by_hand::read(arguments, loaded)?
    } else {
        quarantined::find(arguments.id, arguments.source.as_deref(), loaded).await?
    };
    let mut secrets = configured(loaded, case.received_at)?;
    for KeptSecret { source, secret } in kept_secrets::all(loaded).await? {
        secrets.push(Candidate {
            source: Some(source),
            expired: secret.not_after.is_some_and(|not_after| not_after < case.received_at),
            name: secret.name,
            value: secret.value,
        });
    }
    for file in &arguments.secret_file {
        secrets.push(in_file(file)?);
    }
    let verification = loaded.verification();
    let rules = Rules {
        source: &case.source,
        secrets: &secrets,
        allow_unsigned: configuration(loaded, &case.source)?.allow_unsigned,
        window: Window { max_age: verification.max_age, max_future: verification.max_future },
    };
    let examined = Examined { headers: &case.headers, body: &case.body, received_at: case.received_at };
    let diagnosis = examine(&examined, &rules);
    // One who does not read it to its end may still ask for the exit code.
    if arguments.json {
        output::line_if_read(show::json(&diagnosis, &case))?;
    } else {
        let is_terminal = std::io::stdout().is_terminal();
        output::line_if_read(show::text(&diagnosis, &case.origin, is_terminal).trim_end())?;
    }
    if diagnosis.accepted() { Ok(()) } else { Err(Failure::Told) }
}

/// What is configured for a source.
fn configuration<'a>(loaded: &'a Loaded, source: &str) -> Result<&'a SourceConfig, Failure> {
    loaded.sources().find(|config| config.name == source).ok_or_else(|| unknown(loaded, source))
}

/// The secrets of every source, with the one that the first start made, and whether each still counted at this moment.
fn configured(loaded: &Loaded, received_at: Timestamp) -> Result<Vec<Candidate>, Failure> {
    let mut candidates = Vec::new();
    for source in loaded.sources() {
        let candidate = |name: &str, value: &SecretString, not_after: Option<Timestamp>| Candidate {
            source: Some(source.name.clone()),
            name: name.to_owned(),
            value: value.clone(),
            expired: not_after.is_some_and(|not_after| not_after < received_at),
        };
        match loaded.secret(&source.name) {
            Ok(Some(made)) if !source.secrets.iter().any(|secret| is_same(&secret.value, &made)) => {
                candidates.push(candidate("current", &made, None));
            }
            // One that is not there yet: the diagnosis says that there is none.
            Ok(_) | Err(SourceError::NotMade(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let written = source.secrets.iter();
        candidates.extend(written.map(|secret| candidate(&secret.name, &secret.value, secret.not_after)));
    }
    Ok(candidates)
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

fn in_file(file: &Path) -> Result<Candidate, Failure> {
    let name = file.display().to_string();
    let value = read_secret(file).map_err(|why| Failure::usage(format!("the secret file {name} {why}")))?;
    Ok(Candidate { source: None, name, value, expired: false })
}

fn unknown(loaded: &Loaded, source: &str) -> Failure {
    match loaded.secret(source) {
        Err(error) => Failure::usage(format!("{error}. A request to it is answered 404 unknown_source")),
        Ok(_) => Failure::usage(format!("there is no source `{source}`")),
    }
}
