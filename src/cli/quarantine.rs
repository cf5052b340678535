//! `lectern quarantine`.

use std::fmt;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::{Api, Filter, Kind, List, Server, Show, filter, uid};
use super::failure::Failure;
use super::output;
use crate::config::Loaded;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: List,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows one, with its headers and body
    Show(Show),
    /// Verifies them again with the secrets of now, the oldest first: those that pass become events and leave
    Release {
        /// Only those that fit: source, reason, receivedAfter, receivedBefore; all without one
        #[arg(value_name = "FILTER=VALUE", value_parser = filter)]
        filters: Vec<Filter>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Deletes one, or those that fit. What was held was answered 200: nobody sends it again
    Delete {
        /// Its id, or what those have that go: source, reason, receivedAfter, receivedBefore
        #[arg(value_name = "ID|FILTER=VALUE", required_unless_present = "all")]
        which: Vec<String>,
        /// All that are there now
        #[arg(long, conflicts_with = "which")]
        all: bool,
        #[command(flatten)]
        server: Server,
    },
}

const EXAMPLES: &str = "\
Examples:
  What is there, and what is wrong with the newest:
    lectern quarantine reason=signature_mismatch
    lectern doctor
  Once the right secret is in the configuration:
    lectern quarantine release
  What is left was not signed by Podium:
    lectern quarantine delete reason=signature_mismatch";

/// What came of a release.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Released {
    examined: u64,
    released: u64,
    duplicates: u64,
    still_unverified: u64,
    complete: bool,
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { released, duplicates, still_unverified, .. } = self;
        write!(f, "{released} became events, {duplicates} were events already, ")?;
        match still_unverified {
            0 => f.write_str("none is left of them."),
            left => write!(f, "{left} failed again and stay: `lectern doctor` says why."),
        }
    }
}

#[derive(Deserialize)]
struct Deleted {
    deleted: u64,
}

/// Lists the quarantine, or changes what is there.
pub(super) async fn run(arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    match arguments.command {
        None => arguments.list.run(Kind::Quarantine, loaded).await,
        Some(Command::Show(show)) => show.run(Kind::Quarantine, loaded).await,
        Some(Command::Release { filters, json, server }) => {
            let released = release(&filters, &Api::of(&server, loaded)?).await?;
            if json {
                output::line(serde_json::to_string_pretty(&released)?)?;
            } else {
                output::line(&released)?;
            }
            if released.complete {
                return Ok(());
            }
            Err(Failure::failed(
                "not all were looked at: so many fail again that the rest has no turn; delete those, or release the others by \
                 receivedAfter=… or reason=…",
            ))
        }
        Some(Command::Delete { which, server, .. }) => {
            let Deleted { deleted } = delete(&which, &Api::of(&server, loaded)?).await?;
            output::line(format_args!("{deleted} deleted."))
        }
    }
}

/// A server answers after a while with what it has done by then: what is left is asked for again, as long as some pass.
async fn release(filters: &[Filter], api: &Api) -> Result<Released, Failure> {
    let mut all = Released::default();
    loop {
        let url = api.url(["quarantine", "release"], filters);
        let some: Released = api.have_done(Method::POST, url).await?;
        let goes_on = !some.complete && some.released + some.duplicates > 0;
        all = Released {
            examined: all.examined + some.released + some.duplicates,
            released: all.released + some.released,
            duplicates: all.duplicates + some.duplicates,
            ..some
        };
        if !goes_on {
            all.examined += all.still_unverified;
            return Ok(all);
        }
    }
}

async fn delete(which: &[String], api: &Api) -> Result<Deleted, Failure> {
    let url = match which {
        [id] if !id.contains('=') => api.url(["quarantine", uid(id).map_err(Failure::usage)?.as_str()], &[]),
        filters => {
            let filters: Result<Vec<Filter>, String> = filters.iter().map(|text| filter(text)).collect();
            api.url(["quarantine"], &filters.map_err(Failure::usage)?)
        }
    };
    Ok(api.have_done(Method::DELETE, url).await?)
}
