//! What Podium knows and no event tells: the names of users, and lead IDs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::{StreamExt as _, pin_mut};
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::registrations::UpkeepError;
use crate::clock::Clock;
use crate::podium::client::Client;
use crate::store::{LeaseToken, NoteStore};
use crate::telemetry::{Chain, surviving};

/// Where the names are kept.
const NOTE: &str = "podium/users";

/// What the names of the notes begin with that hold lead IDs.
const LEADS: &str = "lead/";

/// How often Podium is asked for the names, and how often every process looks.
const ASK_EVERY: Duration = Duration::from_secs(60 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How soon it is tried again after it was refused: nobody waits for a name.
const AFTER_ERROR: Duration = Duration::from_secs(10 * 60);

/// After how long Podium is asked again for the lead ID of a conversation that had none.
const NONE_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The names of Podium's users, by uid.
#[derive(Clone, Debug, Default)]
pub struct People(Arc<RwLock<BTreeMap<String, String>>>);

impl People {
    /// What people call this user; none when that is not known.
    #[must_use]
    pub fn name_of(&self, uid: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    fn replace(&self, names: BTreeMap<String, String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }
}

/// Keeps the names up to date until `stop` is cancelled: one process asks Podium, the others read what it has kept.
pub async fn keep_people(
    people: People,
    client: Arc<Client>,
    notes: Arc<dyn NoteStore>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let token = LeaseToken::at(clock.now());
    while !stop.is_cancelled() {
        let turn = surviving("keeping the names of users", async {
            let now = clock.now();
            let until = now.checked_add(LOOK_EVERY * 3).unwrap_or(now);
            let note = notes.note(NOTE).await?;
            let age = note.as_ref().map(|note| age(note.written_at, now));
            if age.is_none_or(|age| age >= ASK_EVERY) && notes.lease_task(NOTE, token, now, until).await? {
                let names = ask(&client).await?;
                let content = serde_json::to_vec(&names).unwrap_or_default();
                notes.write_note(NOTE, &content, note.map_or(0, |note| note.version), now).await?;
                people.replace(names);
            } else if let Some(note) = note {
                people.replace(serde_json::from_slice(&note.content).unwrap_or_default());
            }
            Ok::<_, UpkeepError>(())
        });
        let turned = tokio::select! {
            turned = turn => turned,
            () = stop.cancelled() => break,
        };
        let mut pause = LOOK_EVERY;
        if let Some(Err(error)) = turned {
            tracing::debug!(error = %Chain(&error), "the names of users can't be read now");
            pause = AFTER_ERROR;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn ask(client: &Client) -> Result<BTreeMap<String, String>, UpkeepError> {
    let users = client.users().items();
    pin_mut!(users);
    let mut names = BTreeMap::new();
    while let Some(user) = users.next().await {
        if let Ok(user) = user?.read()
            && let (Some(uid), Some(name)) = (user.uid.clone(), user.name())
        {
            names.insert(uid, name);
        }
    }
    Ok(names)
}

/// The lead IDs of conversations, asked for once.
pub struct LeadIds {
    /// Podium.
    pub client: Arc<Client>,
    /// Where they are kept.
    pub notes: Arc<dyn NoteStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl LeadIds {
    /// The lead ID of a conversation, as Podium has it; `None` where Podium does not offer it.
    ///
    /// # Errors
    /// When Podium or the store does not answer.
    pub async fn of(
        &self,
        location: &str,
        organization: &str,
        conversation: &str,
    ) -> Result<Option<Box<RawValue>>, UpkeepError> {
        let name = format!("{LEADS}{conversation}");
        let (note, now) = (self.notes.note(&name).await?, self.clock.now());
        if let Some(note) = &note {
            let kept: Option<Box<RawValue>> = serde_json::from_slice(&note.content).ok();
            let is_there = kept.as_ref().is_some_and(|kept| kept.get() != "null");
            if is_there {
                return Ok(kept);
            }
            if age(note.written_at, now) < NONE_FOR {
                return Ok(None);
            }
        }
        let asked = self.client.lead_id(location, organization, conversation).await?;
        let asked = asked.filter(|json| json != "null");
        let content = asked.as_deref().unwrap_or("null");
        let version = note.map_or(0, |note| note.version);
        // Another who has asked at the same moment has kept the same.
        self.notes.write_note(&name, content.as_bytes(), version, now).await?;
        Ok(asked.and_then(|json| RawValue::from_string(json).ok()))
    }
}

fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}
