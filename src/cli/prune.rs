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
use crate::store::ForgettingStore;

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

What stays, though it is old: open deliveries, dead ones for whose sake a queue waits, and what belongs to them.";

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
    let mut lines = Vec::new();
    for (what, before) in limits {
        // Only where it is asked for: to count a million of them takes a core for a moment, which senders notice.
        let count = if arguments.dry_run {
            store.count_before(what, before).await?
        } else {
            let (bar, mut count) = (spinner(), 0);
            loop {
                match dispatch::forget_some(what, before, store).await? {
                    0 => break,
                    some => count += some,
                }
                bar.set_message(format!("{count} {what} forgotten"));
            }
            bar.finish_and_clear();
            count
        };
        lines.push(json!({"what": what.to_string(), "receivedBefore": before, column: count}));
        table.add([what.to_string(), moment(Some(before)), count.to_string()]);
    }
    if arguments.json { output::line(serde_json::to_string_pretty(&lines)?) } else { output::line(table) }
}
