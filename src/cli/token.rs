//! `lectern token create`.

use std::io::IsTerminal as _;

use clap::Subcommand;

use super::failure::Failure;
use super::output;
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Loaded, random_text};
use crate::model::{NewToken, TokenDigest, TokenId};
use crate::store::StoreError;
use crate::telemetry;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes a token for the REST API and prints it, this once: only its digest is kept
    #[command(after_help = "Example:\n  TOKEN=$(lectern token create --name reporting)")]
    Create {
        /// What the token is for; no two have one name [default: made up]
        #[arg(long)]
        name: Option<String>,
    },
}

pub(super) async fn run(command: Command, loaded: Loaded) -> Result<(), Failure> {
    let Command::Create { name } = command;
    let created_at = SystemClock.now();
    let id = TokenId::at(created_at);
    let name = name.unwrap_or_else(|| format!("token-{id}"));
    if !(1..=255).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(Failure::usage(
            "the name of a token has 1 to 255 characters, none of them a control character",
        ));
    }
    telemetry::start(loaded.log());
    let config = loaded.start()?.config;
    let token = random_text()?;
    let new = NewToken { id, name: name.clone(), digest: TokenDigest::of(&token), created_at };
    let store = app::open_store(&config.database).await?;
    let added = store.add_token(&new).await;
    store.close().await;
    match added {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => {
            return Err(Failure::failed(format!(
                "there is a token named `{name}` already: choose another --name"
            )));
        }
        Err(error) => return Err(error.into()),
    }
    output::line(&token)?;
    if std::io::stdout().is_terminal() {
        output::complain(&format!("This is the token `{name}`. It is not shown again."));
    }
    Ok(())
}
