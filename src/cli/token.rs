//! `lectern token create`, `lectern token list` and `lectern token revoke`.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::duration::duration;
use super::failure::Failure;
use super::table::{Table, moment};
use super::{beside, output};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Loaded, nearest, random_text};
use crate::model::{NewToken, Role, Token, TokenDigest, TokenId};
use crate::store::{Store, StoreError};
use crate::telemetry;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes a token for the REST API and prints it, this once: only its digest is kept
    #[command(after_help = EXAMPLES)]
    Create(New),
    /// Lists the tokens, with what each may do and when it was last used
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes a token back: from now on it opens nothing
    Revoke {
        /// The token's name
        name: String,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// What the token is for; no two have one name [default: made up]
    #[arg(long)]
    name: Option<String>,
    /// What it may do: `read` looks at everything, `admin` also replays, releases, pauses and deletes
    #[arg(long, default_value = "read")]
    role: Role,
    /// How long it opens the API, such as `90d` or `12h` [default: until it is revoked]
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires_in: Option<SignedDuration>,
}

const EXAMPLES: &str = "\
Examples:
  For a system that looks at what arrived:
    TOKEN=$(lectern token create --name reporting)
  For one that replays, too, until the end of its day's work:
    TOKEN=$(lectern token create --name night-shift --role admin --expires-in 12h)";

/// Makes, lists or revokes tokens.
pub(super) async fn run(command: Command, loaded: Loaded) -> Result<(), Failure> {
    match command {
        Command::Create(new) => create(new, loaded).await,
        Command::List { json } => {
            let store = beside::store(&loaded).await?;
            let listed = list(&*store, json).await;
            store.close().await;
            listed
        }
        Command::Revoke { name } => {
            let store = beside::store(&loaded).await?;
            let revoked = revoke(&name, &*store).await;
            store.close().await;
            revoked
        }
    }
}

async fn create(new: New, loaded: Loaded) -> Result<(), Failure> {
    let created_at = SystemClock.now();
    let id = TokenId::at(created_at);
    let name = new.name.unwrap_or_else(|| format!("token-{id}"));
    if !(1..=255).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(Failure::usage(
            "the name of a token has 1 to 255 characters, none of them a control character",
        ));
    }
    let expires_at = expiry(created_at, new.expires_in)?;
    telemetry::start(loaded.log());
    let config = loaded.start()?.config;
    let token = random_text()?;
    let digest = TokenDigest::of(&token);
    let kept = NewToken { id, name: name.clone(), digest, role: new.role, created_at, expires_at };
    let store = app::open_store(&config.database).await?;
    let added = store.add_token(&kept).await;
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
        let until = expires_at.map(|at| format!(", until {}", moment(Some(at)))).unwrap_or_default();
        output::complain(&format!(
            "This is the token `{name}`, of the role `{}`{until}. It is not shown again.",
            new.role
        ));
    }
    Ok(())
}

async fn list(store: &dyn Store, json: bool) -> Result<(), Failure> {
    let tokens = store.tokens().await?;
    if json { output::line(serde_json::to_string_pretty(&tokens)?) } else { output::line(table(&tokens)) }
}

async fn revoke(name: &str, store: &dyn Store) -> Result<(), Failure> {
    if store.revoke_token(name).await? {
        return output::line(format_args!("The token `{name}` is revoked: it opens nothing any more."));
    }
    let tokens = store.tokens().await?;
    let hint = match nearest(name, tokens.iter().map(|token| token.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lectern token list` lists them".to_owned(),
    };
    Err(Failure::usage(format!("there is no token `{name}`; {hint}")))
}

fn expiry(made: Timestamp, lifetime: Option<SignedDuration>) -> Result<Option<Timestamp>, Failure> {
    let expiry = lifetime.map(|lifetime| made.checked_add(lifetime)).transpose();
    expiry.map_err(|_| Failure::usage("--expires-in ends after the year 9999: leave it out"))
}

fn lifetime(text: &str) -> Result<SignedDuration, &'static str> {
    let lifetime = duration(text).filter(SignedDuration::is_positive);
    lifetime
        .ok_or("a token lives for a duration such as 90d or 12h, in weeks, days, hours, minutes or seconds")
}

fn table(tokens: &[Token]) -> Table<5> {
    let mut table = Table::new(["TOKEN", "ROLE", "CREATED", "EXPIRES", "LAST USED"]);
    for token in tokens {
        table.add([
            token.name.clone(),
            token.role.to_string(),
            moment(Some(token.created_at)),
            moment(token.expires_at),
            moment(token.last_used_at),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_a_line_without_what_it_is_known_by() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let token = |name: &str, role| Token {
            id: TokenId::at(at("2026-11-22T09:30:00Z")),
            name: name.into(),
            digest: TokenDigest::of("secret"),
            role,
            created_at: at("2026-11-22T09:30:00.25Z"),
            expires_at: None,
            last_used_at: None,
        };
        let used = Token {
            expires_at: Some(at("2027-02-20T09:30:00.25Z")),
            last_used_at: Some(at("2026-11-23T00:00:00Z")),
            ..token("reporting", Role::Read)
        };
        insta::assert_snapshot!(table(&[token("ops", Role::Admin), used]), @r"
        TOKEN      ROLE   CREATED               EXPIRES               LAST USED
        ops        admin  2026-11-22T09:30:00Z  -                     -
        reporting  read   2026-11-22T09:30:00Z  2027-02-20T09:30:00Z  2026-11-23T00:00:00Z
        ");
    }

    #[test]
    fn a_lifetime_is_a_duration_that_ends_in_the_future() {
        assert_eq!(lifetime("90d"), Ok(SignedDuration::from_hours(2160)));
        assert_eq!(lifetime("1w"), Ok(SignedDuration::from_hours(168)));
        for text in ["0s", "-1d", "1d ago", "tomorrow", "1y"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
        let made = Timestamp::UNIX_EPOCH;
        assert_eq!(
            expiry(made, Some(SignedDuration::from_secs(5))).unwrap(),
            Some(made + SignedDuration::from_secs(5))
        );
        assert!(expiry(made, Some(SignedDuration::from_hours(90_000_000))).is_err());
    }
}
