//! `lectern auth login`, `lectern auth status` and `lectern auth logout`.

use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use reqwest::Url;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::sleep;

use super::failure::Failure;
use super::table::moment;
use super::{output, outside};
use crate::app::Outside;
use crate::config::Loaded;
use crate::upkeep::Standing;

/// How often it is looked whether a server has taken the answer.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum Command {
    /// Signs in to Podium: prints an address, and waits until it is allowed there
    Login,
    /// Shows whether somebody has signed in, and what that allows
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forgets the account, for all servers on this database
    Logout,
}

/// Signs in or out, or shows how it stands.
pub(super) async fn run(command: &Command, loaded: &Loaded) -> Result<(), Failure> {
    let (outside, store) = outside::open(loaded).await?;
    let done = match command {
        Command::Login => login(&outside, loaded).await,
        Command::Status { json } => status(&outside, loaded, *json).await,
        Command::Logout => match outside.account.sign_out().await? {
            true => output::line(
                "The account is forgotten. Podium's own settings take the right back altogether.",
            ),
            false => output::line("Nobody had signed in."),
        },
    };
    outside.account.rest().await;
    store.close().await;
    done
}

async fn login(outside: &Outside, loaded: &Loaded) -> Result<(), Failure> {
    let account = &outside.account;
    // What another key has sealed is as good as nothing: it is replaced.
    let before = account.standing().await.unwrap_or_default().map(|standing| standing.signed_in_at);
    let url = account.begin_sign_in(&loaded.podium().scopes).await?;
    output::line(format_args!(
        "Open this address in a browser, and allow it:\n\n  {url}\n\nPodium leads back to a running server of yours, which tells this \
         command. Where the browser can't reach that, paste here the address that it was led to."
    ))?;
    let state = parameter(&url, "state").unwrap_or_default();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut reads = true;
    loop {
        tokio::select! {
            line = lines.next_line(), if reads => match line? {
                Some(line) if line.trim().is_empty() => {}
                Some(line) => {
                    let (state, code) = pasted(line.trim(), &state)?;
                    account.end_sign_in(&state, &code).await?;
                    break;
                }
                // Nobody can paste anything: a server may still be told.
                None => reads = false,
            },
            () = sleep(LOOK) => {
                if account.standing().await.unwrap_or_default().map(|standing| standing.signed_in_at) > before {
                    break;
                }
            }
        }
    }
    output::line("Signed in.")
}

/// The state and the code of what was pasted: an address, or the code alone.
fn pasted(text: &str, state: &str) -> Result<(String, String), Failure> {
    let Ok(url) = Url::parse(text) else { return Ok((state.to_owned(), text.to_owned())) };
    match (parameter(&url, "state"), parameter(&url, "code")) {
        (Some(state), Some(code)) => Ok((state, code)),
        _ => {
            Err(Failure::failed("this address has no `code` and `state`: it was not allowed, or is another"))
        }
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn status(outside: &Outside, loaded: &Loaded, json: bool) -> Result<(), Failure> {
    let standing = outside.account.standing().await?;
    if json {
        return output::line(serde_json::to_string_pretty(&standing)?);
    }
    match standing {
        Some(standing) => output::line(sentences(&standing)),
        None if loaded.podium().access_token.is_some() => {
            output::line("Nobody has signed in; `podium.access_token` is used.")
        }
        None => Err(Failure::failed("nobody has signed in: `lectern auth login` does")),
    }
}

fn sentences(standing: &Standing) -> String {
    let moment = |at: Timestamp| moment(Some(at));
    let renewal =
        if standing.renews { "renewed by itself before" } else { "then somebody must sign in again" };
    format!(
        "signed in   {}\nrenewed     {}\ngood until  {}, {renewal}\nallowed     {}",
        moment(standing.signed_in_at),
        moment(standing.renewed_at),
        moment(standing.ends_at),
        standing.scopes.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_a_code_or_the_address_with_one() {
        let read = |text: &str| pasted(text, "s").ok();
        let pair = |state: &str, code: &str| Some((state.to_owned(), code.to_owned()));
        assert_eq!(read("abc123"), pair("s", "abc123"));
        assert_eq!(read("http://127.0.0.1:8081/oauth/callback?code=abc&state=t"), pair("t", "abc"));
        assert_eq!(read("http://127.0.0.1:8081/oauth/callback?error=access_denied"), None);
    }
}
