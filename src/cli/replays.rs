//! `lectern replays`.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::table::{Table, moment};
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::model::{PageRequest, Replay, ReplayId, ReplayState, ReplayStatus};
use crate::store::Store;

/// How many are shown, the newest first.
const SHOWN: u32 = 100;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// Print JSON, as `GET /api/v1/replays` of the REST API has it under `data`
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Calls a replay off; what it has replayed by then stays so
    Cancel {
        /// The replay's id
        #[arg(value_parser = id)]
        id: ReplayId,
    },
}

/// Lists the newest replays, or calls one off.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::store(loaded).await?;
    let done = match arguments.command {
        None => list(&*store, arguments.json).await,
        Some(Command::Cancel { id }) => cancel(id, &*store).await,
    };
    store.close().await;
    done
}

async fn list(store: &dyn Store, json: bool) -> Result<(), Failure> {
    let replays = store.replays(PageRequest { limit: SHOWN, below: None }).await?;
    if json {
        let shown: Vec<ReplayStatus<'_>> = replays.iter().map(ReplayStatus::from).collect();
        return output::line(serde_json::to_string_pretty(&shown)?);
    }
    output::line(table(&replays))
}

async fn cancel(id: ReplayId, store: &dyn Store) -> Result<(), Failure> {
    let missing = || Failure::failed(format!("there is no replay {id}: `lectern replays` lists them"));
    let replay = store.cancel_replay(id, SystemClock.now()).await?.ok_or_else(missing)?;
    let Replay { replayed, matched, .. } = replay;
    match replay.state {
        ReplayState::Done => output::line(format_args!("The replay {id} was through already.")),
        _ => {
            let of = matched.map(|matched| format!(" of {matched}")).unwrap_or_default();
            output::line(format_args!("The replay {id} is cancelled: {replayed}{of} were replayed."))
        }
    }
}

fn table(replays: &[Replay]) -> Table<8> {
    let mut table = Table::new(["REPLAY", "STATE", "REPLAYED", "OF", "RATE", "HANDLER", "BEGUN", "BY"]);
    for replay in replays {
        table.add([
            replay.id.to_string(),
            replay.state.to_string(),
            replay.replayed.to_string(),
            replay.matched.map_or_else(|| "many".to_owned(), |matched| matched.to_string()),
            replay.rate.to_string(),
            replay.filter.handler.clone().unwrap_or_else(|| "any".to_owned()),
            moment(Some(replay.created_at)),
            replay.created_by.clone(),
        ]);
    }
    table
}

fn id(text: &str) -> Result<ReplayId, &'static str> {
    text.parse().map_err(|_| "no id of a replay: `lectern replays` lists them")
}
