//! `lectern events`, `lectern messages` and their like: what the REST API of a running Lectern shows, on the command line. They
//! ask as every other system does, over HTTP and with a token, so that what they show is what others get.

mod api;
mod columns;
mod filter;
mod json;
mod kind;
mod lines;
mod list;
mod server;
mod show;

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};

pub(super) use self::api::{Api, Trouble};
pub(super) use self::filter::{Filter, filter};
pub(super) use self::json::on_one_line;
pub(super) use self::kind::Kind;
pub(super) use self::server::Server;
use super::failure::Failure;
use crate::config::Loaded;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: List,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What of a list is shown, and how.
#[derive(Args)]
pub(super) struct List {
    /// Only those that fit, by the parameters of the REST API, such as `status=failed`; a wrong one is answered with all there are
    #[arg(value_name = "FILTER=VALUE", value_parser = filter)]
    filters: Vec<Filter>,
    /// How many at most, the newest first
    #[arg(long, value_name = "N", default_value = "20", conflicts_with = "all")]
    limit: NonZeroUsize,
    /// All that there are
    #[arg(long)]
    all: bool,
    /// Print JSON, as the REST API has it under `data`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Subcommand)]
enum Command {
    /// Shows one, whole
    Show(Show),
}

/// What is shown whole, and how.
#[derive(Args)]
pub(super) struct Show {
    /// Its uid or id, as the list has it in the last column
    #[arg(value_name = "UID", value_parser = uid)]
    uid: String,
    /// Print JSON, as the REST API has it under `data`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

const EXAMPLES: &str = "\
Examples:
  What failed of the last week, and one of them whole:
    lectern messages status=failed createdAfter=2026-11-15T00:00:00Z
    lectern messages show c5d2f6f0-61a5-4a5f-8f6e-0a4c3a8b7d21
  Who waits for an answer:
    lectern conversations awaitingReply=true --all
  For a program:
    lectern messages q=walnut --all --json
  From a Lectern on another machine:
    LECTERN_API_TOKEN=$(cat token) lectern messages --url https://lectern.example.com";

/// Lists what there is of a kind, or shows one.
pub(super) async fn run(kind: Kind, arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    match arguments.command {
        Some(Command::Show(show)) => show.run(kind, loaded).await,
        None => arguments.list.run(kind, loaded).await,
    }
}

impl List {
    pub(super) async fn run(self, kind: Kind, loaded: &Loaded) -> Result<(), Failure> {
        let at_most = if self.all { usize::MAX } else { self.limit.get() };
        let wanted = list::Wanted { filters: self.filters, at_most, json: self.json };
        list::run(kind, wanted, &Api::of(&self.server, loaded)?).await
    }
}

impl Show {
    pub(super) async fn run(self, kind: Kind, loaded: &Loaded) -> Result<(), Failure> {
        show::run(kind, &self.uid, self.json, &Api::of(&self.server, loaded)?).await
    }
}

/// Reads a uid: opaque, but one that would lead to another path is none.
pub(super) fn uid(text: &str) -> Result<String, &'static str> {
    let is_one = !["", ".", ".."].contains(&text);
    is_one.then(|| text.to_owned()).ok_or("a uid or an id is a text, as the list has it in the last column")
}
