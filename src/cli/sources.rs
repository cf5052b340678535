//! `lectern sources`.

use clap::Args;

use super::failure::Failure;
use super::table::{Table, moment};
use super::{kept_secrets, output};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Loaded, SourceConfig};
use crate::model::{SecretState, Source, SourceStatus};
use crate::telemetry;

#[derive(Args)]
pub(super) struct Arguments {
    /// Print JSON, as `GET /api/v1/sources` of the REST API has it under `data`
    #[arg(long)]
    json: bool,
}

/// Lists the sources. When a secret was last used is what the servers have written, some seconds ago.
pub(super) async fn run(arguments: &Arguments, loaded: Loaded) -> Result<(), Failure> {
    telemetry::start(loaded.log());
    let kept = kept_secrets::all(&loaded).await?;
    let config = loaded.start()?.config;
    let store = app::open_store(&config.database).await?;
    let uses = store.secret_uses().await;
    store.close().await;
    let (uses, now) = (uses?, SystemClock.now());
    let sources: Vec<Source> =
        app::together(&config.sources, &kept).iter().map(SourceConfig::without_secrets).collect();
    let sources: Vec<SourceStatus<'_>> = sources.iter().map(|source| source.status(&uses, now)).collect();
    if arguments.json {
        output::line(serde_json::to_string_pretty(&sources)?)
    } else {
        output::line(table(&sources))
    }
}

/// A line for each secret.
fn table(sources: &[SourceStatus<'_>]) -> Table<6> {
    let mut table = Table::new(["SOURCE", "SECRET", "STATE", "LAST USED", "EVENTS", "NOT AFTER"]);
    for source in sources {
        for secret in &source.secrets {
            table.add([
                source.name.to_owned(),
                secret.name.to_owned(),
                said(secret.state).to_owned(),
                moment(secret.last_used_at),
                secret.event_count.to_string(),
                moment(secret.not_after),
            ]);
        }
        if source.allow_unsigned {
            let state = "takes unsigned requests";
            table.add([source.name, "-", state, "-", "-", "-"].map(str::to_owned));
        }
    }
    table
}

const fn said(state: SecretState) -> &'static str {
    match state {
        SecretState::SafeToRetire => "safe to retire",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretStatus;

    #[test]
    fn each_secret_is_a_line_that_says_whether_it_can_go() {
        let secret = |name, state, last_used_at: Option<&str>, event_count| SecretStatus {
            name,
            state,
            not_after: None,
            last_used_at: last_used_at.map(|at| at.parse().unwrap()),
            event_count,
        };
        let old = SecretStatus {
            not_after: Some("2027-01-31T00:00:00Z".parse().unwrap()),
            ..secret("previous", SecretState::SafeToRetire, Some("2026-11-01T09:30:00.25Z"), 1204)
        };
        let sources = [
            SourceStatus {
                name: "default",
                path: "/webhooks/podium".to_owned(),
                allow_unsigned: false,
                secrets: vec![secret("current", SecretState::Active, Some("2026-11-22T09:30:01Z"), 31), old],
            },
            SourceStatus {
                name: "legacy",
                path: "/webhooks/podium/legacy".to_owned(),
                allow_unsigned: true,
                secrets: vec![secret("new", SecretState::Unused, None, 0)],
            },
        ];
        insta::assert_snapshot!(table(&sources), @r"
        SOURCE   SECRET    STATE                    LAST USED             EVENTS  NOT AFTER
        default  current   active                   2026-11-22T09:30:01Z  31      -
        default  previous  safe to retire           2026-11-01T09:30:00Z  1204    2027-01-31T00:00:00Z
        legacy   new       unused                   -                     0       -
        legacy   -         takes unsigned requests  -                     -       -
        ");
    }
}
