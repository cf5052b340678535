//! The secrets of webhooks that Lectern has registered itself: kept in the store, sealed, for all processes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::account::AccountError;
use super::seal::{NotSealed, SealingKey};
use crate::clock::Clock;
use crate::config::{NamedSecret, random_text};
use crate::store::NoteStore;
use crate::telemetry::Trouble;

/// What the names of their notes begin with: `secret/SOURCE/NAME`.
const UNDER: &str = "secret/";

/// A secret of a source that stands in no configuration.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// The source's name.
    pub source: String,
    /// The secret.
    pub secret: NamedSecret,
}

/// The secrets of sources that Lectern has made itself.
pub struct KeptSecrets {
    notes: Arc<dyn NoteStore>,
    clock: Arc<dyn Clock>,
    key: SealingKey,
    /// A copy on this machine's disk: a server that starts while the store is away must know them all the same.
    copy: PathBuf,
    /// What the copy has.
    copied: Mutex<Vec<u8>>,
    trouble: Mutex<Trouble>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    value: String,
    not_after: Option<Timestamp>,
}

/// All of them, as they are copied.
#[derive(Default, Serialize, Deserialize)]
struct Copied(Vec<(String, String, Kept)>);

impl KeptSecrets {
    /// Those in `notes`, sealed with `key`, of which the file `copy` holds what was last read.
    #[must_use]
    pub fn new(notes: Arc<dyn NoteStore>, clock: Arc<dyn Clock>, key: SealingKey, copy: PathBuf) -> Self {
        Self { notes, clock, key, copy, copied: Mutex::default(), trouble: Mutex::default() }
    }

    /// All that there are, of each source the newest first.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn all(&self) -> Result<Vec<KeptSecret>, AccountError> {
        let mut copied = Copied::default();
        for (name, note) in self.notes.notes_under(UNDER).await? {
            let opened = self.key.open(&name, &note.content);
            let Some(kept) = opened.ok().and_then(|opened| serde_json::from_slice::<Kept>(&opened).ok())
            else {
                // The others are good all the same, and this one can be replaced.
                if lock(&self.trouble).due(Instant::now()).is_some() {
                    tracing::error!(name, error = %NotSealed, "a kept secret can't be used: what it signs is refused");
                }
                continue;
            };
            if let Some((source, secret)) = name.strip_prefix(UNDER).and_then(|name| name.split_once('/')) {
                copied.0.push((source.to_owned(), secret.to_owned(), kept));
            }
        }
        // Their names begin with when they were made.
        copied
            .0
            .sort_by(|(source, one, _), (other_source, other, _)| (source, other).cmp(&(other_source, one)));
        self.copy(&copied);
        Ok(copied.secrets())
    }

    /// What was last read on this machine: for when the store is away.
    ///
    /// # Errors
    /// When it was sealed with another key.
    pub fn last_read(&self) -> Result<Vec<KeptSecret>, NotSealed> {
        let Ok(sealed) = std::fs::read(&self.copy) else { return Ok(Vec::new()) };
        let copied: Copied =
            serde_json::from_slice(&self.key.open(UNDER, &sealed)?).map_err(|_| NotSealed)?;
        Ok(copied.secrets())
    }

    /// Makes a secret for a source and keeps it. Servers know it a moment later.
    ///
    /// # Errors
    /// When it can't be kept.
    pub async fn make(&self, source: &str) -> Result<NamedSecret, AccountError> {
        let now = self.clock.now();
        let value = SecretString::from(random_text()?);
        // 2026-11-27t09-30-00: so that they sort by age, and fit where names of secrets must fit.
        let at = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
        let at = at.trim_end_matches('Z').replace(':', "-").to_lowercase();
        // Of two that are made in one second, neither takes the place of the other.
        let mut bytes = [0; 3];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        let name = format!("{at}-{}", hex::encode(bytes));
        self.write(source, &name, &value, None).await?;
        Ok(NamedSecret { name, value, not_after: None })
    }

    /// Lets every secret of a source but this one end at a moment, if it does not end before. Forgets those that have ended.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn retire_all_but(
        &self,
        source: &str,
        name: &str,
        not_after: Timestamp,
    ) -> Result<Vec<String>, AccountError> {
        let mut retired = Vec::new();
        for KeptSecret { source: of, secret } in self.all().await? {
            // What is newer was made by another meanwhile, and may be what Podium signs with now.
            if of != source || secret.name.as_str() >= name {
                continue;
            }
            match secret.not_after {
                Some(ends) if ends < self.clock.now() => self.forget(source, &secret.name).await?,
                Some(ends) if ends <= not_after => {}
                _ => {
                    self.write(source, &secret.name, &secret.value, Some(not_after)).await?;
                    retired.push(secret.name);
                }
            }
        }
        Ok(retired)
    }

    /// Forgets a secret.
    ///
    /// # Errors
    /// When it can't be forgotten.
    pub async fn forget(&self, source: &str, name: &str) -> Result<(), AccountError> {
        let name = note_name(source, name);
        if let Some(note) = self.notes.note(&name).await? {
            self.notes.erase_note(&name, note.version).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        source: &str,
        name: &str,
        value: &SecretString,
        not_after: Option<Timestamp>,
    ) -> Result<(), AccountError> {
        let name = note_name(source, name);
        let kept = Kept { value: value.expose_secret().to_owned(), not_after };
        let sealed = self.key.seal(&name, &serde_json::to_vec(&kept).map_err(std::io::Error::from)?)?;
        loop {
            let version = self.notes.note(&name).await?.map_or(0, |note| note.version);
            if self.notes.write_note(&name, &sealed, version, self.clock.now()).await? {
                return Ok(());
            }
        }
    }

    /// Where it can't be copied, a start without the store refuses what it signs until the store is back: no reason to stop.
    fn copy(&self, copied: &Copied) {
        let plain = serde_json::to_vec(copied).unwrap_or_default();
        if *lock(&self.copied) == plain {
            return;
        }
        let written = (|| {
            let sealed = self.key.seal(UNDER, &plain)?;
            let folder = self.copy.parent().unwrap_or(std::path::Path::new("."));
            let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
            std::io::Write::write_all(&mut file.as_file(), &sealed)?;
            file.as_file().sync_all()?;
            file.persist(&self.copy).map_err(|error| error.error)?;
            *lock(&self.copied) = plain;
            Ok::<_, std::io::Error>(())
        })();
        if let Err(error) = written {
            tracing::debug!(%error, "the kept secrets can't be copied onto this disk");
        }
    }
}

impl Copied {
    fn secrets(self) -> Vec<KeptSecret> {
        let secret = |(source, name, kept): (String, String, Kept)| KeptSecret {
            source,
            secret: NamedSecret { name, value: kept.value.into(), not_after: kept.not_after },
        };
        self.0.into_iter().map(secret).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing half done in it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note_name(source: &str, name: &str) -> String {
    format!("{UNDER}{source}/{name}")
}
