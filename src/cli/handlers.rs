//! `lectern handlers`.

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::table::{Table, moment};
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{HandlerConfig, Loaded, nearest};
use crate::model::{Activity, HandlerConfiguration, HandlerStatus, handlers};
use crate::store::{Store, StoreError};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// Print JSON, as `GET /api/v1/handlers` of the REST API has it under `data`
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Gives a handler nothing more until it is resumed; what it is at goes on, and events wait
    Pause {
        /// The handler's name
        name: String,
    },
    /// Gives a handler work again
    Resume {
        /// The handler's name
        name: String,
    },
}

/// Lists the handlers, or pauses one.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::store(loaded).await?;
    let done = execute(arguments, loaded, &*store).await;
    store.close().await;
    done
}

async fn execute(arguments: &Arguments, loaded: &Loaded, store: &dyn Store) -> Result<(), Failure> {
    let configured: Vec<HandlerConfiguration> =
        loaded.handlers().map(HandlerConfig::without_settings).collect();
    match &arguments.command {
        None => list(&configured, store, arguments.json).await,
        Some(Command::Pause { name }) => {
            known(name, &configured, store).await?;
            let since = store.pause(name, SystemClock.now()).await?;
            output::line(format_args!(
                "The handler `{name}` is paused since {}. To go on: lectern handlers resume {name}",
                moment(Some(since))
            ))
        }
        Some(Command::Resume { name }) => {
            known(name, &configured, store).await?;
            let how = if store.resume(name).await? {
                "is resumed: servers look for its work every `dispatch.poll_interval`"
            } else {
                "was not paused"
            };
            output::line(format_args!("The handler `{name}` {how}."))
        }
    }
}

async fn list(configured: &[HandlerConfiguration], store: &dyn Store, json: bool) -> Result<(), Failure> {
    let now = SystemClock.now();
    let since = Activity::recent_from(now);
    let (backlog, paused, activity) =
        (store.backlog().await?, store.paused().await?, store.activity(since).await?);
    let all = handlers(configured, &backlog, &paused, &activity, since, now);
    if json { output::line(serde_json::to_string_pretty(&all)?) } else { output::line(table(&all)) }
}

/// Fails when there is no such handler: a misspelt one would look like one that is paused.
async fn known(name: &str, configured: &[HandlerConfiguration], store: &dyn Store) -> Result<(), Failure> {
    let mut names: Vec<String> = configured.iter().map(|handler| handler.name.clone()).collect();
    names.extend(with_something_to_say(store).await?);
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lectern handlers` lists them".to_owned(),
    };
    Err(Failure::usage(format!("there is no handler `{name}`; {hint}")))
}

async fn with_something_to_say(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let backlog = store.backlog().await?.into_iter().map(|backlog| backlog.handler);
    Ok(backlog.chain(store.paused().await?.into_iter().map(|(name, _)| name)).collect())
}

fn table(handlers: &[HandlerStatus<'_>]) -> Table<9> {
    let headings = ["HANDLER", "KIND", "STATE", "OPEN", "PARKED", "DEAD", "DONE/S", "FAILED/S", "FIRST DUE"];
    let mut table = Table::new(headings);
    for handler in handlers {
        table.add([
            handler.name.to_owned(),
            handler.kind.unwrap_or("-").to_owned(),
            handler.state.as_str().to_owned(),
            handler.backlog.to_string(),
            handler.parked.to_string(),
            handler.dead.to_string(),
            handler.rates.done.to_string(),
            handler.rates.failed.to_string(),
            moment(handler.oldest_due_at),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HandlerState, Rates};

    #[test]
    fn each_handler_is_a_line_that_says_how_it_stands() {
        let status = |name, kind, state| HandlerStatus {
            name,
            kind,
            state,
            paused_at: None,
            backlog: 1204,
            parked: 2,
            dead: 17,
            oldest_due_at: Some("2026-11-22T09:30:00.25Z".parse().unwrap()),
            rates: Rates { done: 12.5, failed: 0.017 },
            configuration: None,
        };
        let idle = HandlerStatus {
            backlog: 0,
            oldest_due_at: None,
            ..status("a", None, HandlerState::Unconfigured)
        };
        insta::assert_snapshot!(table(&[status("crm", Some("http"), HandlerState::Failing), idle]), @r"
        HANDLER  KIND  STATE         OPEN  PARKED  DEAD  DONE/S  FAILED/S  FIRST DUE
        crm      http  failing       1204  2       17    12.5    0.017     2026-11-22T09:30:00Z
        a        -     unconfigured  0     2       17    12.5    0.017     -
        ");
    }
}
