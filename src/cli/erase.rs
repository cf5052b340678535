//! `lectern erase`.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, stdin};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::json;

use super::failure::Failure;
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::erasure::{self, Erased, Found, Looking, Traces};
use crate::model::ResourceKind;
use crate::spool::{self, Seen};
use crate::store::Database;

#[derive(Args)]
#[command(after_long_help = NOTES, group(ArgGroup::new("person").required(true).multiple(true)))]
pub(super) struct Arguments {
    /// A contact of Podium's, by uid
    #[arg(long, value_name = "UID", group = "person")]
    contact: Vec<String>,
    /// A telephone number, with the country's
    #[arg(long, value_name = "NUMBER", group = "person")]
    phone: Vec<String>,
    /// An e-mail address
    #[arg(long, value_name = "ADDRESS", group = "person")]
    email: Vec<String>,
    /// Only say what there is
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask whether it is meant
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
All flags together are one person, who is also known by what the contacts that fit have besides: other numbers and addresses, the
uids that they were merged with, their conversations. Everything that names one of them is found: events by their bodies,
messages and the like, requests in quarantine.

Erased are bodies and headers, deliveries with their attempts, what the mirror has, and requests in quarantine. The lines of the ledger stay: when
an event of which type came, and Podium's uids. Not reached are your handlers' systems, backups, and Podium itself.

An event that a handler still owes stays until that is done: the exit code is 1 then, and this has to be done once more.

Examples:
  See what there is of a customer:
    lectern erase --phone +18015550123 --email ann@example.com --dry-run
  Erase it:
    lectern erase --phone +18015550123 --email ann@example.com";

/// What waits in the spool of this machine.
#[derive(Default)]
struct Spooled {
    /// How many events, which become events of the store in a moment.
    waiting: usize,
    /// Files with one event each.
    set_aside: BTreeSet<PathBuf>,
    /// Files with others, too.
    damaged: BTreeSet<PathBuf>,
}

impl Spooled {
    fn is_empty(&self) -> bool {
        self.waiting == 0 && self.set_aside.is_empty() && self.damaged.is_empty()
    }
}

/// Finds what is stored about a person, and erases it.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let Arguments { contact, email, phone, .. } = arguments;
    let asked = Traces::of(contact, email, phone).map_err(|but| Failure::usage(but.to_string()))?;
    let store = beside::store(loaded).await?;
    let done = tokio::select! {
        done = find_and_erase(arguments, asked, loaded, &*store) => done,
        _ = tokio::signal::ctrl_c() => {
            Err(Failure::failed("stopped; do it once more: what was erased by then is gone, and nothing else"))
        }
    };
    store.close().await;
    done
}

async fn find_and_erase(
    arguments: &Arguments,
    asked: Traces,
    loaded: &Loaded,
    store: &dyn Database,
) -> Result<(), Failure> {
    let bar = super::progress::spinner();
    let begun = SystemClock.now();
    let found = erasure::find(asked, None, store, |looking| {
        bar.set_message(match looking {
            Looking::Mirror(count) => format!("{count} lines of the mirror looked at"),
            Looking::Events(count) => format!("{count} events looked at"),
        });
    })
    .await;
    bar.finish_and_clear();
    let found = found?;
    let spooled = in_spool(loaded, &found.traces)?;
    if !arguments.json {
        output::line(sentences(&found, &spooled))?;
    }
    let is_nothing = found.is_empty() && spooled.is_empty();
    let erased = if arguments.dry_run || is_nothing || !(arguments.yes || is_meant()?) {
        None
    } else {
        let erased = erasure::erase(&found, begun, &SystemClock, store).await?;
        for file in &spooled.set_aside {
            tokio::fs::remove_file(file).await?;
        }
        Some(erased)
    };
    if arguments.json {
        output::line(serde_json::to_string_pretty(&as_json(&found, &spooled, erased.as_ref()))?)?;
    } else if let Some(erased) = &erased {
        output::line(outcome(erased, spooled.set_aside.len()))?;
    }
    let is_left = spooled.waiting > 0
        || !spooled.damaged.is_empty()
        || erased.as_ref().is_some_and(|erased| !erased.kept.is_empty());
    if is_left && !arguments.dry_run {
        if !arguments.json {
            output::line(left(erased.as_ref(), &spooled))?;
        }
        return Err(Failure::Told);
    }
    Ok(())
}

fn in_spool(loaded: &Loaded, traces: &Traces) -> Result<Spooled, Failure> {
    let mut spooled = Spooled::default();
    spool::look(loaded.spool_dir(), |seen, bytes| {
        if traces.are_in(bytes) {
            match seen {
                Seen::Waiting => spooled.waiting += 1,
                Seen::SetAside(file) => _ = spooled.set_aside.insert(file),
                Seen::Damaged(file) => _ = spooled.damaged.insert(file),
            }
        }
    })?;
    Ok(spooled)
}

fn is_meant() -> Result<bool, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage("this can't be undone: say --yes, or --dry-run to only look"));
    }
    output::complain("This can't be undone. Erase it? Type yes:");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn sentences(found: &Found, spooled: &Spooled) -> String {
    let traces = &found.traces;
    let known: Vec<String> = traces
        .emails()
        .map(str::to_owned)
        .chain(traces.phones().map(str::to_owned))
        .chain(traces.uids().map(str::to_owned))
        .collect();
    let mut text = format!("known as       {}\n", known.join("\n               "));
    for (what, count) in counts(found, spooled) {
        if count > 0 {
            text.push_str(&format!("{what:<15}{count}\n"));
        }
    }
    if found.is_empty() && spooled.is_empty() {
        text.push_str("Nothing is stored about this person.");
    }
    text.trim_end().to_owned()
}

fn counts(found: &Found, spooled: &Spooled) -> Vec<(String, usize)> {
    let of_kind = |kind: ResourceKind| found.resources.iter().filter(|(other, _)| *other == kind).count();
    let mut counts = vec![("events".to_owned(), found.events.len())];
    counts.extend(
        ResourceKind::ALL.map(|kind| (format!("{}s", kind.as_str().replace('_', " ")), of_kind(kind))),
    );
    counts.push(("in quarantine".to_owned(), found.quarantined.len()));
    counts.push(("set aside".to_owned(), spooled.set_aside.len()));
    counts.push(("in the spool".to_owned(), spooled.waiting));
    counts.push(("damaged files".to_owned(), spooled.damaged.len()));
    counts
}

fn outcome(erased: &Erased, files: usize) -> String {
    let Erased { events, resources, quarantined, .. } = erased;
    format!(
        "Erased: the bodies of {events} events with their deliveries, {resources} lines of the mirror, {quarantined} requests in \
         quarantine, {files} files that were set aside."
    )
}

fn left(erased: Option<&Erased>, spooled: &Spooled) -> String {
    let mut text = Vec::new();
    if let Some(erased) = erased.filter(|erased| !erased.kept.is_empty()) {
        let ids: Vec<String> = erased.kept.iter().take(10).map(ToString::to_string).collect();
        text.push(format!(
            "{} events stay as they are, because handlers still owe them or a queue waits for their sake; once that is over (`lectern \
             handlers`, `lectern resolve`), do this once more:\n  {}",
            erased.kept.len(),
            ids.join("\n  ")
        ));
    }
    if spooled.waiting > 0 {
        text.push(format!(
            "{} events wait in the spool: once they are in the database (`lectern health`), do this once more.",
            spooled.waiting
        ));
    }
    if !spooled.damaged.is_empty() {
        let files: Vec<_> = spooled.damaged.iter().map(|file| file.display().to_string()).collect();
        text.push(format!(
            "Delete these files when nothing in them is needed any more:\n  {}",
            files.join("\n  ")
        ));
    }
    text.join("\n")
}

fn as_json(found: &Found, spooled: &Spooled, erased: Option<&Erased>) -> serde_json::Value {
    let traces = &found.traces;
    let counts: serde_json::Map<_, _> =
        counts(found, spooled).into_iter().map(|(what, count)| (what, count.into())).collect();
    json!({
        "knownAs": {
            "emails": traces.emails().collect::<Vec<_>>(),
            "phones": traces.phones().collect::<Vec<_>>(),
            "uids": traces.uids().collect::<Vec<_>>(),
        },
        "found": counts,
        "erased": erased.map(|erased| json!({
            "events": erased.events,
            "mirror": erased.resources,
            "quarantined": erased.quarantined,
            "setAside": spooled.set_aside.len(),
            "kept": erased.kept,
        })),
        "spooled": spooled.waiting,
        "damaged": spooled.damaged,
    })
}
