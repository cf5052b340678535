//! `lectern webhooks plan`, `apply`, `list`, `rotate` and `delete`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::failure::Failure;
use super::plain::plain;
use super::table::{Table, moment};
use super::{output, outside};
use crate::app::Outside;
use crate::config::Loaded;
use crate::podium::EventType;
use crate::podium::client::Webhook;
use crate::upkeep::{Planned, Registrations, Step};

#[derive(Subcommand)]
#[command(after_long_help = NOTES)]
pub(super) enum Command {
    /// Shows in what the webhooks at Podium differ from the configuration
    Plan {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes the webhooks at Podium what the configuration says
    Apply,
    /// Lists the webhooks at Podium
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Gives the webhook of a source a new secret; the old ones stay good for as long as something signed with them may come
    Rotate {
        /// The source
        source: String,
    },
    /// Takes a webhook away
    Delete {
        /// The webhook's uid, as the list has it
        uid: String,
    },
}

const NOTES: &str = "\
The webhooks that there should be stand in the configuration, each under `[[podium.webhooks]]`. A source without a secret is given one,
which is kept in the database, sealed, and known to every server before Podium signs with it.";

/// Does it.
pub(super) async fn run(command: Command, loaded: Loaded) -> Result<(), Failure> {
    let (outside, store) = outside::open(&loaded).await?;
    let has_token = loaded.podium().access_token.is_some();
    let config = loaded.start()?.config;
    let registrations = outside.registrations(move || config.sources.clone());
    let done = match command {
        Command::Plan { json } => plan(&registrations, &outside, has_token, json).await,
        Command::Apply => apply(&registrations, &outside, has_token).await,
        Command::List { json } => list(&registrations, json).await,
        Command::Rotate { source } => rotate(&registrations, &source).await,
        Command::Delete { uid } => {
            registrations.delete(&uid).await?;
            output::line(format_args!("The webhook {uid} is gone."))
        }
    };
    registrations.end().await;
    outside.account.rest().await;
    store.close().await;
    done
}

async fn plan(
    registrations: &Registrations,
    outside: &Outside,
    has_token: bool,
    json: bool,
) -> Result<(), Failure> {
    let lacking = lacking(registrations, outside, has_token).await?;
    let (planned, left) = registrations.plan().await?;
    if json {
        let steps: Vec<Value> = planned.iter().map(as_json).collect();
        let left: Vec<_> = left.iter().map(|webhook| &webhook.uid).collect();
        let plan = json!({ "steps": steps, "others": left, "lacking": lacking });
        return output::line(serde_json::to_string_pretty(&plan)?);
    }
    for sentence in lacking {
        output::complain(&sentence);
    }
    if planned.is_empty() {
        return output::line("No `[[podium.webhooks]]` is configured.");
    }
    for planned in &planned {
        output::line(sentence(planned))?;
    }
    if !left.is_empty() {
        output::line(format_args!("{} other webhooks are left alone: `lectern webhooks list`.", left.len()))?;
    }
    Ok(())
}

async fn apply(registrations: &Registrations, outside: &Outside, has_token: bool) -> Result<(), Failure> {
    let lacking = lacking(registrations, outside, has_token).await?;
    if !lacking.is_empty() {
        return Err(Failure::failed(lacking.join("\n")));
    }
    let (planned, _) = registrations.plan().await?;
    if planned.is_empty() {
        return Err(Failure::failed("no `[[podium.webhooks]]` is configured: docs/podium.md has the recipe"));
    }
    for planned in &planned {
        match registrations.apply(planned).await? {
            Some(done) => output::line(format_args!(
                "The webhook of the source `{}` is {}: {}",
                done.source, done.what, done.uid
            ))?,
            None => output::line(sentence(planned))?,
        }
    }
    Ok(())
}

async fn list(registrations: &Registrations, json: bool) -> Result<(), Failure> {
    let webhooks = registrations.client.webhooks().await?;
    if json {
        let shown: Vec<Value> = webhooks.iter().map(without_secret).collect();
        return output::line(serde_json::to_string_pretty(&shown)?);
    }
    let mut table = Table::new(["CREATED", "STATE", "OWNER", "TYPES", "URL", "WEBHOOK"]);
    for webhook in webhooks {
        let state = if webhook.is_disabled() { "disabled" } else { "enabled" };
        let owner = webhook.organization_uid.as_deref().or(webhook.location_uid.as_deref());
        table.add([
            moment(webhook.created_at),
            state.to_owned(),
            plain(owner.unwrap_or("-")),
            webhook.event_types.len().to_string(),
            plain(webhook.url.as_deref().unwrap_or("-")),
            plain(webhook.uid.as_deref().unwrap_or("-")),
        ]);
    }
    output::line(table)
}

async fn rotate(registrations: &Registrations, source: &str) -> Result<(), Failure> {
    let (done, retired) = registrations.rotate(source).await?;
    output::line(format_args!("The webhook of the source `{}` is {}.", done.source, done.what))?;
    let retired = if retired.is_empty() { "none".to_owned() } else { retired.join(", ") };
    output::line(format_args!(
        "Kept secrets that end in 11 days: {retired}. Those in the configuration stay until you take them out; GET /api/v1/sources says when \
         that is safe."
    ))
}

/// What Podium would refuse, said before it does.
async fn lacking(
    registrations: &Registrations,
    outside: &Outside,
    has_token: bool,
) -> Result<Vec<String>, Failure> {
    // What a given token may do, nobody knows here.
    if has_token {
        return Ok(Vec::new());
    }
    let Some(standing) = outside.account.standing().await? else { return Ok(Vec::new()) };
    let lacking = registrations.lacking_scopes(&standing.scopes).into_iter().map(|(scope, event_type)| {
        format!(
            "the scope `{scope}` is lacking, which events such as `{event_type}` need: add it to `podium.scopes` and sign in again \
             with `lectern auth login`"
        )
    });
    Ok(lacking.collect())
}

fn sentence(planned: &Planned) -> String {
    let source = &planned.source;
    match &planned.step {
        Step::Create => format!("The webhook of the source `{source}` is not registered."),
        Step::Keep { uid } => format!("The webhook of the source `{source}` is as it should be: {uid}"),
        Step::Change { uid, changes } => {
            let parts = plain(&changes.parts().join("; "));
            format!("The webhook of the source `{source}` differs: {parts}. It is {uid}")
        }
    }
}

fn as_json(planned: &Planned) -> Value {
    let source = &planned.source;
    match &planned.step {
        Step::Create => json!({ "source": source, "step": "create" }),
        Step::Keep { uid } => json!({ "source": source, "step": "keep", "uid": uid }),
        Step::Change { uid, changes } => {
            json!({ "source": source, "step": "change", "uid": uid, "differences": changes.parts() })
        }
    }
}

fn without_secret(webhook: &Webhook) -> Value {
    json!({
        "uid": webhook.uid, "url": webhook.url, "disabled": webhook.is_disabled(),
        "eventTypes": webhook.event_types.iter().map(EventType::as_str).collect::<Vec<_>>(),
        "locationUid": webhook.location_uid, "organizationUid": webhook.organization_uid,
        "isSigned": webhook.secret.is_some(), "createdAt": webhook.created_at, "updatedAt": webhook.updated_at,
    })
}
