//! What a configuration came to, to be compared with what it comes to later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::provenance::Setting;

/// What every key of a configuration came to, secrets included: it compares them and shows none.
#[derive(Clone)]
pub struct Snapshot(BTreeMap<String, BTreeMap<String, SecretString>>);

/// What became of a key, or of a source, a secret, a handler as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it stands, such as `public.listen`, `sources.north` or `sources.north.secrets.next`.
    pub key: String,
    /// What became of it.
    pub change: Change,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is set, and was not.
    Added,
    /// It was set, and is not any more.
    Removed,
    /// It is something else.
    Changed,
}

impl Difference {
    /// Whether it is about sources.
    #[must_use]
    pub fn is_of_sources(&self) -> bool {
        self.key.starts_with("sources.")
    }
}

/// Nothing but how much it holds.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} tables)", self.0.len())
    }
}

impl Snapshot {
    pub(super) fn of(settings: &[Setting]) -> Self {
        let mut tables: BTreeMap<String, BTreeMap<String, SecretString>> = BTreeMap::new();
        let mut table = String::new();
        let mut handler = String::new();
        for setting in settings {
            let path = setting.heading.trim_matches(['[', ']']);
            let mut key = setting.key.clone();
            match (setting.is_first_of_item(), path) {
                (true, _) => table = format!("{path}.{}", setting.shown.trim_matches('"')),
                (false, _) if setting.heading.starts_with("[[") => {}
                // Below a handler, which is told by its name.
                (false, "handlers.retry") => {
                    table.clone_from(&handler);
                    key = format!("retry.{key}");
                }
                (false, _) => path.clone_into(&mut table),
            }
            if path == "handlers" {
                handler.clone_from(&table);
            }
            let keys = tables.entry(table.clone()).or_default();
            // What is empty is not set.
            if !setting.whole.expose_secret().is_empty() {
                keys.insert(key, setting.whole.clone());
            }
        }
        Self(tables)
    }

    /// How `later` differs from this one.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        for table in both(&self.0, &later.0) {
            match (self.0.get(table), later.0.get(table)) {
                (Some(before), Some(now)) => {
                    for key in both(before, now) {
                        let [before, now] =
                            [before, now].map(|keys| keys.get(key).map(SecretString::expose_secret));
                        let key = if table.is_empty() { key.clone() } else { format!("{table}.{key}") };
                        found.extend(change(before, now).map(|change| Difference { key, change }));
                    }
                }
                (before, now) => {
                    let change = change(before.map(|_| ""), now.map(|_| ""));
                    found.extend(change.map(|change| Difference { key: table.clone(), change }));
                }
            }
        }
        found
    }
}

fn both<'a, V>(one: &'a BTreeMap<String, V>, other: &'a BTreeMap<String, V>) -> BTreeSet<&'a String> {
    one.keys().chain(other.keys()).collect()
}

fn change(before: Option<&str>, now: Option<&str>) -> Option<Change> {
    match (before, now) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (before, now) => (before != now).then_some(Change::Changed),
    }
}
