//! `lectern repair`.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use super::duration::duration;
use super::failure::Failure;
use super::{output, outside};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::upkeep::{Progress, Summary};

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// How far back to look, such as `48h` or `7d`
    #[arg(long, value_name = "DURATION", value_parser = back)]
    since: SignedDuration,
    /// Only count what is missing
    #[arg(long)]
    dry_run: bool,
    /// Print what it came to as JSON
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
Podium's conversations and messages, contacts, invoices, reviews and review invites are read back and compared with the mirror. What is
missing is accepted as events, with the origin `repair`, and handed to the handlers like any other. A repair that was broken off is
gone on with. Podium can't list calls: what was missed of them stays missed. A server must run, so that the mirror is up to date.";

/// Reads back what was missed.
pub(super) async fn run(arguments: &Arguments, loaded: Loaded) -> Result<(), Failure> {
    let (outside, store) = outside::open(&loaded).await?;
    let config = loaded.start()?.config;
    let repair = outside.repair(app::intake(&config, &store));
    let now = SystemClock.now();
    let since = now.checked_sub(arguments.since).map_err(|_| Failure::usage("--since is too long ago"))?;
    let bar = bar();
    let repaired = tokio::select! {
        repaired = repair.run(since, arguments.dry_run, |progress| show(&bar, progress)) => repaired,
        _ = tokio::signal::ctrl_c() => {
            bar.finish_and_clear();
            outside.account.rest().await;
            store.close().await;
            return Err(Failure::failed("broken off: the same command goes on where it was"));
        }
    };
    bar.finish_and_clear();
    outside.account.rest().await;
    store.close().await;
    let summary = repaired?;
    if arguments.json {
        return output::line(serde_json::to_string_pretty(&summary)?);
    }
    output::line(sentences(&summary, arguments.dry_run))
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let missing: u64 = progress.missing.values().sum();
    bar.set_position(progress.examined);
    bar.set_message(format!("{}, {missing} missing", progress.list));
}

fn sentences(summary: &Summary, dry_run: bool) -> String {
    let (examined, missed) = (summary.examined, summary.missed());
    let accepted = if dry_run { "are missing" } else { "were missing, and are accepted" };
    let mut lines = vec![format!("{examined} were looked at, {missed} {accepted}.")];
    lines.extend(summary.missing.iter().map(|(event_type, number)| format!("  {number} {event_type}")));
    lines.extend(summary.closed.iter().map(|(list, why)| format!("Not looked at: {list}. {why}")));
    lines.push("Calls can't be listed at Podium: what was missed of them is not known.".to_owned());
    lines.join("\n")
}

fn back(text: &str) -> Result<SignedDuration, &'static str> {
    let back = duration(text).filter(SignedDuration::is_positive);
    back.ok_or("how far back is a duration such as 48h or 7d")
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} looked at, {per_sec}: {msg}");
    // Without a terminal, indicatif draws nothing.
    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_repair_came_to_is_said() {
        let summary = Summary {
            examined: 1204,
            missing: [("message.received".to_owned(), 3)].into(),
            closed: vec![("invoices".to_owned(), "it needs the scope `read_payments`".to_owned())],
        };
        insta::assert_snapshot!(sentences(&summary, false), @r"
        1204 were looked at, 3 were missing, and are accepted.
          3 message.received
        Not looked at: invoices. it needs the scope `read_payments`
        Calls can't be listed at Podium: what was missed of them is not known.
        ");
    }
}
