//! What is said of it.

use std::fmt;

use serde_json::{Value, json};

use super::spooled::Spooled;
use crate::cli::plain::plain;
use crate::erasure::{Erased, Found, Known, Person};
use crate::model::ResourceKind;

/// How many events are named.
const NAMED: usize = 10;

/// What was found, and what became of it.
pub(super) struct Outcome {
    person: Person,
    counts: Vec<(String, usize)>,
    unmirrored: u64,
    pub(super) spooled: Spooled,
    pub(super) erased: Option<Erased>,
}

impl Outcome {
    pub(super) fn of(found: &Found, spooled: Spooled, unmirrored: u64) -> Self {
        let of_kind = |kind: ResourceKind| found.resources.iter().filter(|(other, _)| *other == kind).count();
        let mut counts = vec![("events".to_owned(), found.events.len())];
        counts.extend(
            ResourceKind::ALL.map(|kind| (format!("{}s", kind.as_str().replace('_', " ")), of_kind(kind))),
        );
        counts.push(("in quarantine".to_owned(), found.quarantined.len()));
        counts.push(("set aside".to_owned(), spooled.set_aside.len()));
        counts.push(("in the spool".to_owned(), spooled.waiting));
        counts.push(("damaged files".to_owned(), spooled.damaged.len()));
        Self { person: found.person.clone(), counts, unmirrored, spooled, erased: None }
    }

    /// What was done, once it was.
    pub(super) fn done(&self) -> Option<String> {
        let Erased { events, resources, quarantined, .. } = self.erased.as_ref()?;
        Some(format!(
            "Erased: the bodies of {events} events with their deliveries, {resources} lines of the mirror, {quarantined} requests in \
             quarantine, {} files that were set aside.",
            self.spooled.set_aside.len()
        ))
    }

    /// What is left, each with what is to be done about it.
    pub(super) fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(erased) = &self.erased {
            if !erased.kept.is_empty() {
                let ids: Vec<String> = erased.kept.iter().take(NAMED).map(ToString::to_string).collect();
                left.push(format!(
                    "{} events stay as they are, because handlers still owe them or a queue waits for their sake; once that is over \
                     (`lectern handlers`, `lectern resolve`), do this once more:\n  {}",
                    erased.kept.len(),
                    ids.join("\n  ")
                ));
            }
            if erased.unmirrored > 0 {
                left.push(format!(
                    "{} events that came meanwhile are not mirrored yet: once they are (`lectern rebuild --status`, with a server running), \
                     do this once more.",
                    erased.unmirrored
                ));
            }
            if erased.is_more {
                left.push(
                    "More was found while this was erased: do it once more, and look at what it shows."
                        .to_owned(),
                );
            }
            if !erased.is_overwritten {
                left.push(
                    "What is erased may still lie in the database's write-ahead log (`lectern.db-wal`), because somebody reads in the \
                     database without an end: stop the server and whatever else has the file open; the last of them deletes the log."
                        .to_owned(),
                );
            }
        }
        if self.spooled.waiting > 0 {
            left.push(format!(
                "{} events wait in the spool: once they are in the database (`lectern health`), do this once more.",
                self.spooled.waiting
            ));
        }
        if !self.spooled.damaged.is_empty() {
            let files: Vec<_> = self.spooled.damaged.iter().map(|file| file.display().to_string()).collect();
            left.push(format!(
                "Delete these files when nothing in them is needed any more:\n  {}",
                files.join("\n  ")
            ));
        }
        left
    }

    pub(super) fn as_json(&self) -> Value {
        let traces = self.person.traces();
        let counts: serde_json::Map<_, _> =
            self.counts.iter().map(|(what, count)| (what.clone(), (*count).into())).collect();
        let contact =
            |(uid, Known { name, by }): (&String, &Known)| json!({"uid": uid, "name": name, "by": by});
        let shared = |(address, others): (&str, usize)| json!({"address": address, "others": others});
        json!({
            "knownAs": {
                "emails": traces.emails().collect::<Vec<_>>(),
                "phones": traces.phones().collect::<Vec<_>>(),
                "uids": traces.uids().collect::<Vec<_>>(),
            },
            "contacts": self.person.contacts().iter().map(contact).collect::<Vec<_>>(),
            "shared": self.person.shared().map(shared).collect::<Vec<_>>(),
            "found": counts,
            "erased": self.erased.as_ref().map(|erased| json!({
                "events": erased.events,
                "mirror": erased.resources,
                "quarantined": erased.quarantined,
                "setAside": self.spooled.set_aside.len(),
                "kept": erased.kept,
                "isMore": erased.is_more,
                "isOverwritten": erased.is_overwritten,
            })),
            "unmirrored": self.erased.as_ref().map_or(self.unmirrored, |erased| erased.unmirrored),
            "spooled": self.spooled.waiting,
            "damaged": self.spooled.damaged,
        })
    }
}

/// What was found.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traces = self.person.traces();
        let known = traces.emails().chain(traces.phones()).chain(traces.uids());
        list(f, "known as", known.map(plain))?;
        let contact = |(uid, Known { name, by }): (&String, &Known)| {
            let name = name.as_deref().map(|name| format!(", {}", plain(name))).unwrap_or_default();
            format!("{}{name} ({})", plain(uid), plain(by))
        };
        list(f, "who", self.person.contacts().iter().map(contact))?;
        let shared = |(address, others): (&str, usize)| {
            format!("{}, also of {others} more: not looked for unless it is given", plain(address))
        };
        list(f, "shared", self.person.shared().map(shared))?;
        for (what, count) in self.counts.iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "{what:<15}{count}")?;
        }
        if self.unmirrored > 0 {
            writeln!(
                f,
                "{:<15}{} events, which may tell more of who it is",
                "not mirrored", self.unmirrored
            )?;
        }
        if self.counts.iter().all(|(_, count)| *count == 0) {
            writeln!(f, "Nothing is stored about this person.")?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    for (nth, line) in lines.enumerate() {
        writeln!(f, "{:<15}{line}", if nth == 0 { what } else { "" })?;
    }
    Ok(())
}
