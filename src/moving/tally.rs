//! How much there is of everything, and a sum over it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::Record;

/// How much there is of each collection; one of which there is nothing is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<String, Sum>);

/// How much there is of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sum {
    /// How many records.
    pub count: u64,
    /// SHA-256 over their JSON, one after the other, in hexadecimal.
    pub sha256: String,
}

/// A tally that grows.
#[derive(Default)]
pub(super) struct Counting(BTreeMap<&'static str, (u64, Sha256)>);

impl Counting {
    /// Adds a record; those of one collection must come in order.
    pub(super) fn add(&mut self, record: &Record) {
        let (count, sum) = self.0.entry(record.collection.name).or_default();
        *count += 1;
        sum.update(record.as_json().to_string());
        sum.update(b"\n");
    }

    /// How many there are by now.
    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }

    pub(super) fn finish(self) -> Tally {
        let sum = |(name, (count, sum)): (&str, (u64, Sha256))| {
            (name.to_owned(), Sum { count, sha256: hex::encode(sum.finalize()) })
        };
        Tally(self.0.into_iter().map(sum).collect())
    }
}
