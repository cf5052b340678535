//! `lectern prune`.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::progress::spinner;
use super::table::{Table, moment};
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::dispatch;
use crate::store::{ForgettingStore, Reached};

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// Only say how much is older than it need be
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
`[retention]` of the configuration says how long each is kept. Servers forget by themselves every ten minutes, a little at a time; this
is for whoever does not want to wait, such as after making a time shorter. Ctrl-C ends it in between.

What stays, though it is old: open deliveries, dead ones for whose sake a queue waits, and what belongs to them; requests in quarantine
that are held. On PostgreSQL bodies go by the week, when the last of it is old, and are counted by what the database believes to have.

Exit code 1 means that more could go when the database is less busy: servers go on with it.";

/// Forgets what is old, or says how much it is.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let store = beside::store(loaded).await?;
    let done = tokio::select! {
        done = prune(arguments, loaded, &*store) => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("stopped; what was forgotten by then is gone")),
    };
    store.close().await;
    done
}

async fn prune(arguments: &Arguments, loaded: &Loaded, store: &dyn ForgettingStore) -> Result<(), Failure> {
    let limits = loaded.retention().limits(SystemClock.now());
    let column = if arguments.dry_run { "old" } else { "forgotten" };
    let mut table = Table::new(["", "received before", column]);
    let (mut lines, mut is_held_up) = (Vec::new(), false);
    for (what, before) in limits {
        // Only where it is asked for: to count a million of them takes a core for a moment, which senders notice.
        let count = if arguments.dry_run {
            store.count_before(what, before).await?
        } else {
            let (bar, mut count, mut next) = (spinner(), 0, Some(Reached::default()));
            while let Some(from) = next {
                let some = dispatch::forget_some(what, from, before, store).await?;
                count += some.count;
                is_held_up |= some.is_held_up;
                next = some.reached;
                bar.set_message(format!("{count} {what} forgotten"));
            }
            bar.finish_and_clear();
            count
        };
        lines.push(json!({"what": what.to_string(), "receivedBefore": before, column: count}));
        table.add([what.to_string(), moment(Some(before)), count.to_string()]);
    }
    if arguments.json {
        output::line(serde_json::to_string_pretty(&lines)?)?;
    } else {
        output::line(table)?;
    }
    if is_held_up {
        return Err(Failure::failed(
            "a table of bodies is in use, and webhooks would have had to wait: servers try again every ten minutes, or do this again",
        ));
    }
    Ok(())
}
