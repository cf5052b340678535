//! `lectern rebuild`.

use clap::Args;

use super::failure::Failure;
use super::plain::plain;
use super::progress::{self, Step};
use super::table::{Table, moment};
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::model::{MirrorStatus, PageRequest, Rebuild, SkippedEvent, SkippedStatus};
use crate::store::MirrorStore;

/// How many skipped events are shown, the newest first.
const SHOWN: u32 = 100;

/// What is said when it does not go on.
const STANDING: &str = "No server has gone on with it for some seconds: it goes on when one runs.";

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// Only show how the mirror stands
    #[arg(long, conflicts_with = "skipped")]
    status: bool,
    /// Only list the newest events that gave no picture, with the reasons
    #[arg(long)]
    skipped: bool,
    /// Print JSON, as `GET /api/v1/mirror` or `/api/v1/mirror/skipped` of the REST API has it under `data`
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
The servers do it, with the events that they have; what is there can be asked for all the time, and what arrives meanwhile is
mirrored first. Ctrl-C ends only the watching.";

/// Makes the mirror anew, or shows how it stands.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    if arguments.json && !arguments.status && !arguments.skipped {
        return Err(Failure::usage("--json goes with --status or --skipped"));
    }
    let store = beside::store(loaded).await?;
    let done = if arguments.status {
        status(&*store, arguments.json).await
    } else if arguments.skipped {
        skipped(&*store, arguments.json).await
    } else {
        rebuild(&*store).await
    };
    store.close().await;
    done
}

async fn rebuild(store: &dyn MirrorStore) -> Result<(), Failure> {
    store.begin_rebuild(SystemClock.now()).await?;
    output::line_if_read("The mirror is made anew.")?;
    let watched = progress::until_it_ends(STANDING, async || {
        // Whoever else asks for it begins it anew: then it is theirs that is watched.
        Ok(match store.mirror_status().await?.rebuild {
            Some(Rebuild { total, done, ended_at: None, .. }) => Step::At { done, of: Some(total) },
            ended => Step::Over(ended.map_or(0, |ended| ended.done)),
        })
    });
    match watched.await? {
        None => output::line_if_read("It goes on. To see how far it is: lectern rebuild --status"),
        Some(done) => output::line_if_read(format_args!("It is made anew, from {}.", events(done))),
    }
}

async fn status(store: &dyn MirrorStore, json: bool) -> Result<(), Failure> {
    let status = store.mirror_status().await?;
    if json {
        return output::line(serde_json::to_string_pretty(&status.standing(SystemClock.now()))?);
    }
    output::line(sentences(&status))
}

async fn skipped(store: &dyn MirrorStore, json: bool) -> Result<(), Failure> {
    let skipped = store.skipped(PageRequest { limit: SHOWN, below: None }).await?;
    if json {
        let shown: Vec<SkippedStatus<'_>> = skipped.iter().map(SkippedStatus::from).collect();
        return output::line(serde_json::to_string_pretty(&shown)?);
    }
    output::line(table(&skipped))
}

fn sentences(status: &MirrorStatus) -> String {
    let waiting = match status.waiting {
        0 => "none: it is up to date".to_owned(),
        waiting if waiting >= u64::from(MirrorStatus::COUNTED) => format!("{waiting} or more"),
        waiting => waiting.to_string(),
    };
    let since = match status.oldest_at {
        Some(at) => format!(", the first since {}", moment(Some(at))),
        None => String::new(),
    };
    let skipped = match status.skipped {
        0 => "none".to_owned(),
        skipped => format!("{skipped}; `lectern rebuild --skipped` lists them"),
    };
    let rebuild = match &status.rebuild {
        None => "never".to_owned(),
        Some(Rebuild { started_at, total, done, ended_at: None }) => {
            format!("since {}, {done} of {total} so far", moment(Some(*started_at)))
        }
        Some(Rebuild { done, ended_at, .. }) => format!("{}, from {}", moment(*ended_at), events(*done)),
    };
    format!("waiting     {waiting}{since}\nskipped     {skipped}\nmade anew   {rebuild}")
}

fn table(skipped: &[SkippedEvent]) -> Table<2> {
    let mut table = Table::new(["EVENT", "REASON"]);
    for one in skipped {
        table.add([one.event_id.to_string(), plain(&one.reason)]);
    }
    table
}

fn events(number: u64) -> String {
    if number == 1 { "1 event".to_owned() } else { format!("{number} events") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_mirror_stands_is_said_in_three_lines() {
        let at = |text: &str| text.parse().unwrap();
        let rebuild =
            Rebuild { started_at: at("2026-11-22T09:30:00Z"), total: 4000, done: 1200, ended_at: None };
        let status = MirrorStatus {
            waiting: 7,
            oldest_at: Some(at("2026-11-22T09:31:00.5Z")),
            skipped: 2,
            rebuild: Some(rebuild.clone()),
        };
        insta::assert_snapshot!(sentences(&status), @r"
        waiting     7, the first since 2026-11-22T09:31:01Z
        skipped     2; `lectern rebuild --skipped` lists them
        made anew   since 2026-11-22T09:30:00Z, 1200 of 4000 so far
        ");
        let ended = Rebuild { done: 1, ended_at: Some(at("2026-11-22T09:40:00Z")), ..rebuild };
        let status = MirrorStatus { waiting: 0, oldest_at: None, skipped: 0, rebuild: Some(ended) };
        insta::assert_snapshot!(sentences(&status), @r"
        waiting     none: it is up to date
        skipped     none
        made anew   2026-11-22T09:40:00Z, from 1 event
        ");
    }
}
