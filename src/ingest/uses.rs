//! When each secret was last used: counted in memory on the way to the answer, and written now and then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::model::{SecretDigest, SecretUse, Source};
use crate::store::{Store, StoreError};
use crate::telemetry::{Chain, surviving};

/// How often what was counted is written. A crash loses no more than this of it, and no event.
const EVERY: Duration = Duration::from_secs(10);

/// How long the store may take for it.
const WITHIN: Duration = Duration::from_secs(5);

/// The moment of a secret that was never used.
const NEVER: i64 = i64::MIN;

/// Counts the use of one secret. It costs a request two additions and no lock.
#[derive(Debug)]
pub struct UseCount {
    events: AtomicU64,
    /// Microseconds since 1970.
    last: AtomicI64,
}

impl UseCount {
    /// Notes an event that the secret verified. `at` may lie before what was noted already.
    pub(super) fn note(&self, at: Timestamp) {
        // The moment first: whoever sees the event counted sees a moment with it.
        self.last.fetch_max(at.as_microsecond(), Ordering::Relaxed);
        self.events.fetch_add(1, Ordering::Release);
    }
}

impl Default for UseCount {
    fn default() -> Self {
        Self { events: AtomicU64::new(0), last: AtomicI64::new(NEVER) }
    }
}

/// How the secrets of all sources are used, those that were removed included until all is written of them.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<SecretDigest, Entry>>);

#[derive(Debug)]
struct Entry {
    count: Arc<UseCount>,
    source: String,
    name: String,
    known_since: Timestamp,
    /// Whether the store knows of the secret, by this name.
    is_known: bool,
    /// How many events the store knows of.
    written: u64,
}

impl Uses {
    /// A counter for each secret of each source: the one that it had, wherever it stood.
    pub(super) fn of(&self, sources: &[Source], now: Timestamp) -> Vec<Vec<Arc<UseCount>>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = sources.iter().map(|source| {
            let counts = source.secrets.iter().map(|secret| {
                let entry = entries.entry(secret.digest).or_insert_with(|| Entry {
                    count: Arc::default(),
                    source: source.name.clone(),
                    name: String::new(),
                    known_since: now,
                    is_known: false,
                    written: 0,
                });
                if entry.name != secret.name {
                    entry.name.clone_from(&secret.name);
                    entry.is_known = false;
                }
                Arc::clone(&entry.count)
            });
            counts.collect()
        });
        counts.collect()
    }

    /// Writes what was counted since the last time. What can't be written now stays for the next time. So does what the store
    /// did not confirm in time, and when it was written all the same, those few seconds count twice: the number of events is
    /// for people, while what is retired by, the last use, is exact.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let uses = self.unwritten();
        if uses.is_empty() {
            return Ok(());
        }
        let writing = timeout(WITHIN, store.note_secret_uses(&uses));
        writing.await.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))??;
        self.note_written(&uses);
        Ok(())
    }

    fn unwritten(&self) -> Vec<SecretUse> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uses = entries.iter().filter_map(|(secret, entry)| {
            let events = entry.count.events.load(Ordering::Acquire);
            let last = entry.count.last.load(Ordering::Relaxed);
            let new = events - entry.written;
            (!entry.is_known || new > 0).then(|| SecretUse {
                secret: *secret,
                source: entry.source.clone(),
                name: entry.name.clone(),
                known_since: entry.known_since,
                last_used_at: Timestamp::from_microsecond(last).ok().filter(|_| last != NEVER),
                events: new,
            })
        });
        uses.collect()
    }

    fn note_written(&self, uses: &[SecretUse]) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for used in uses {
            if let Some(entry) = entries.get_mut(&used.secret) {
                entry.written += used.events;
                entry.is_known = entry.is_known || entry.name == used.name;
            }
        }
        // Nobody but us holds the counter of a secret that was removed, once its last request is through.
        entries.retain(|_, entry| {
            Arc::strong_count(&entry.count) > 1 || entry.written != entry.count.events.load(Ordering::Acquire)
        });
    }
}

/// Writes every few seconds what was counted, and a last time when `stop` is cancelled: once no request is under way.
pub async fn write_uses(uses: Arc<Uses>, store: Arc<dyn Store>, stop: CancellationToken) {
    let mut is_failing = false;
    loop {
        let is_last = stop.is_cancelled();
        // Not called off by the stop, which would leave open whether it was written.
        let writing = surviving("writing the last use of secrets", uses.write(&*store));
        let written = writing.await.unwrap_or(Ok(()));
        if let Err(error) = &written
            && (is_last || !is_failing)
        {
            tracing::warn!(error = %Chain(error), "the last use of secrets can't be written now");
        }
        is_failing = written.is_err();
        if is_last {
            return;
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::store::sqlite::SqliteStore;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn source(secrets: &[(&str, &str)]) -> Source {
        let secret = |(name, value): &(&str, &str)| Secret {
            name: (*name).to_owned(),
            digest: SecretDigest::of("north", value),
            not_after: None,
        };
        let secrets = secrets.iter().map(secret).collect();
        Source { name: "north".to_owned(), allow_unsigned: false, secrets }
    }

    async fn store(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap()
    }

    /// Name, last use and number of events of each secret that the store knows, by name.
    async fn known(store: &SqliteStore) -> Vec<(String, Option<Timestamp>, u64)> {
        let uses = store.secret_uses().await.unwrap().into_iter();
        let mut uses: Vec<_> = uses.map(|used| (used.name, used.last_used_at, used.events)).collect();
        uses.sort();
        uses
    }

    #[tokio::test]
    async fn what_a_store_that_is_away_does_not_take_is_written_when_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let away = store(&folder).await;
        away.close().await;
        let uses = Uses::default();
        let counts = uses.of(&[source(&[("current", "a"), ("previous", "b")])], at(0)).remove(0);
        counts[0].note(at(2));
        counts[0].note(at(1));
        assert!(uses.write(&away).await.is_err());
        counts[0].note(at(3));
        assert!(uses.write(&away).await.is_err());

        let back = store(&folder).await;
        uses.write(&back).await.unwrap();
        let expected = [("current".to_owned(), Some(at(3)), 3), ("previous".to_owned(), None, 0)];
        assert_eq!(known(&back).await, expected);
        // Nothing is written twice.
        uses.write(&back).await.unwrap();
        assert_eq!(known(&back).await, expected);
    }

    #[tokio::test]
    async fn a_use_belongs_to_the_secret_and_not_to_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let uses = Uses::default();
        uses.of(&[source(&[("current", "old")])], at(0)).remove(0)[0].note(at(1));
        uses.write(&store).await.unwrap();
        let counts = uses.of(&[source(&[("current", "new"), ("previous", "old")])], at(2)).remove(0);
        uses.write(&store).await.unwrap();
        let expected = [("current".to_owned(), None, 0), ("previous".to_owned(), Some(at(1)), 1)];
        assert_eq!(known(&store).await, expected);
        counts[1].note(at(3));
        uses.write(&store).await.unwrap();
        assert_eq!(known(&store).await[1], ("previous".to_owned(), Some(at(3)), 2));
    }

    #[tokio::test]
    async fn what_a_request_under_way_notes_of_a_removed_secret_is_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let uses = Uses::default();
        let under_way = uses.of(&[source(&[("old", "old")])], at(0)).remove(0).remove(0);
        let _kept = uses.of(&[source(&[("new", "new")])], at(1));
        uses.write(&store).await.unwrap();
        under_way.note(at(2));
        drop(under_way);
        uses.write(&store).await.unwrap();
        assert_eq!(known(&store).await[1], ("old".to_owned(), Some(at(2)), 1));
        assert_eq!(uses.0.lock().unwrap().len(), 1, "then it is forgotten here");
    }
}
