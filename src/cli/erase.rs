//! `lectern erase`.

mod said;
mod spooled;

use std::io::{IsTerminal as _, stdin};

use clap::{ArgGroup, Args};
use indicatif::ProgressBar;

use self::said::Outcome;
use self::spooled::Spooled;
use super::failure::Failure;
use super::{beside, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Loaded;
use crate::erasure::{self, ErasureError, Found, Looking, Person, Traces};
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
    /// Erase it also if there are more than 5 contacts: all of them are this person
    #[arg(long)]
    all_contacts: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
All flags together are one person. Every contact that has one of them is this person, and so is
one that Podium merged with it. What such a contact can be reached by besides, and its
conversations, are looked for, too; they lead to no further contact, and an address that somebody
else has as well is not looked for, but shown: give it if it is theirs. More than 5 contacts are
only erased with --all-contacts.

Everything that names one of these is found: events by their bodies, messages and the like,
requests in quarantine. Who a person is, the mirror tells: it is waited for until it has every
event, and where it stands still nothing is erased.

Erased are bodies and headers, deliveries with their attempts, what the mirror has, and requests
in quarantine. The lines of the ledger stay: when an event of which type came, and Podium's uids.
Not reached are your handlers' systems, backups, and Podium itself.

The exit code is 1 when something is left, and it says what: an event that a handler still owes,
or one that waits in the spool. Then this has to be done once more.

Examples:
  See what there is of a customer:
    lectern erase --phone +18015550123 --email ann@example.com --dry-run
  Erase it:
    lectern erase --phone +18015550123 --email ann@example.com";

/// Finds what is stored about a person, and erases it.
pub(super) async fn run(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let Arguments { contact, email, phone, .. } = arguments;
    let asked = Traces::of(contact, email, phone).map_err(|but| Failure::usage(but.to_string()))?;
    let store = beside::whole_store(loaded).await?;
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
    bar.set_message("waiting for the mirror");
    let looked = look(asked, store, telling(&bar)).await;
    bar.finish_and_clear();
    let (found, unmirrored) = looked?;
    let mut spooled = Spooled::default();
    spooled.look(loaded.spool_dir(), found.person.traces())?;
    let mut outcome = Outcome::of(&found, spooled, unmirrored);
    if !arguments.json {
        output::line(outcome.to_string().trim_end())?;
    }
    if unmirrored > 0 && !arguments.dry_run {
        // With what is erased too early goes what would tell that the rest is theirs.
        return Err(Failure::failed(format!(
            "nothing was erased: {unmirrored} events are not mirrored yet, and may tell more of who this is; once they are, which `lectern \
             rebuild --status` tells, with a server running, do this once more"
        )));
    }
    let is_nothing = found.is_empty() && outcome.spooled.is_empty();
    if !arguments.dry_run && !is_nothing && is_meant(arguments, &found)? {
        let bar = super::progress::spinner();
        let erased = erasure::erase(found, arguments.all_contacts, &SystemClock, store, telling(&bar)).await;
        bar.finish_and_clear();
        let erased = erased?;
        // By what is known only now. An event that waited before may have come into the database too late to be found.
        outcome.spooled.look(loaded.spool_dir(), erased.person.traces())?;
        outcome.spooled.delete_set_aside().await?;
        outcome.erased = Some(erased);
    }
    if arguments.json {
        output::line(serde_json::to_string_pretty(&outcome.as_json())?)?;
    } else if let Some(done) = outcome.done() {
        output::line(done)?;
    }
    let left = outcome.left();
    if left.is_empty() || arguments.dry_run {
        return Ok(());
    }
    if !arguments.json {
        output::line(left.join("\n"))?;
    }
    Err(Failure::Told)
}

/// What is stored, and how many events may tell more of who it is.
async fn look(
    asked: Traces,
    store: &dyn Database,
    tell: impl Fn(Looking),
) -> Result<(Found, u64), ErasureError> {
    let unmirrored = erasure::until_mirrored(SystemClock.now(), store).await?;
    Ok((erasure::find(Person::known_as(asked), store, tell).await?, unmirrored))
}

fn telling(bar: &ProgressBar) -> impl Fn(Looking) {
    |looking| {
        bar.set_message(match looking {
            Looking::Mirror(count) => format!("{count} lines of the mirror looked at"),
            Looking::Events(count) => format!("{count} events looked at"),
        });
    }
}

fn is_meant(arguments: &Arguments, found: &Found) -> Result<bool, Failure> {
    if found.has_many_contacts() && !arguments.all_contacts {
        return Err(Failure::usage(format!(
            "{} contacts would be erased, and one person hardly has more than {}: look at them with --dry-run, and say --all-contacts if \
             all of them are this person",
            found.person.contacts().len(),
            Found::FEW_CONTACTS
        )));
    }
    if arguments.yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        return Err(Failure::usage("this can't be undone: say --yes, or --dry-run to only look"));
    }
    output::complain("This can't be undone. Erase it? Type yes:");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
