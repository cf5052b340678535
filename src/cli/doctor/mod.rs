//! `lectern doctor`: why a request is not accepted, and what to do about it.

mod request;
mod show;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use self::request::Request;
use super::failure::Failure;
use super::output;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Loaded, SourceError, read_secret};
use crate::doctor::{Candidate, Examined, Rules, Window, examine};

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Arguments {
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

    /// The source that it came to [default: what the path of --request says, else `default`]
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

const USAGE: &str = "give the request that is to be examined: with --request FILE, or with --headers FILE or -H, and --body \
                     FILE; `lectern doctor --help` has examples";

/// Examines a request, and says what was found.
pub(super) fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let request = given(arguments)?;
    let source = arguments.source.as_deref().or(request.source.as_deref()).unwrap_or("default");
    let Some(config) = loaded.sources().find(|config| config.name == source) else {
        return Err(unknown(loaded, source));
    };
    let limit = loaded.public().max_body;
    if request.body.len() > limit {
        return Err(Failure::failed(format!(
            "the body has {} bytes, and `public.max_body` is {limit}: it is answered 413 body_too_large before its \
             signature is looked at; raise `public.max_body`",
            request.body.len()
        )));
    }
    let received_at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let mut secrets = configured(loaded, received_at)?;
    for file in &arguments.secret_file {
        secrets.push(by_hand(file)?);
    }
    let verification = loaded.verification();
    let rules = Rules {
        source,
        secrets: &secrets,
        allow_unsigned: config.allow_unsigned,
        window: Window { max_age: verification.max_age, max_future: verification.max_future },
    };
    let received = if arguments.at.is_some() { show::Received::AsSaid } else { show::Received::Now };
    let examined = Examined { headers: &request.headers, body: &request.body, received_at };
    let diagnosis = examine(&examined, &rules);
    // One who does not read it to its end may still ask for the exit code.
    if arguments.json {
        output::line_if_read(show::json(&diagnosis, source, received_at))?;
    } else {
        output::line_if_read(show::text(&diagnosis, received, std::io::stdout().is_terminal()).trim_end())?;
    }
    if diagnosis.accepted() { Ok(()) } else { Err(Failure::Told) }
}

fn given(arguments: &Arguments) -> Result<Request, Failure> {
    if let Some(file) = &arguments.request {
        let name = file.display();
        return Request::whole(&read(file)?)
            .map_err(|error| Failure::usage(format!("{name} holds no request: {error}")));
    }
    let Some(body) = &arguments.body else { return Err(Failure::usage(USAGE)) };
    if arguments.headers.is_none() && arguments.header.is_empty() {
        return Err(Failure::usage(
            "give the request's headers beside its body: with --headers FILE, or with -H",
        ));
    }
    let stdin = Path::new("-");
    if body == stdin && arguments.headers.as_deref() == Some(stdin) {
        return Err(Failure::usage("headers and body can't both come from standard input: use --request -"));
    }
    let mut headers = Vec::new();
    for line in &arguments.header {
        let header = request::header(line)
            .map_err(|error| Failure::usage(format!("a header given with -H {error}")))?;
        headers.push(header);
    }
    if let Some(file) = &arguments.headers {
        let name = file.display();
        let found = request::headers(&read(file)?);
        headers.extend(found.map_err(|error| Failure::usage(format!("{name} holds no headers: {error}")))?);
    }
    Ok(Request { source: None, headers, body: read(body)? })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
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

fn by_hand(file: &Path) -> Result<Candidate, Failure> {
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
