//! Repair: what Podium has and the mirror has not is read back, and accepted as events.
//!
//! Podium is walked through list by list, a page at a time. What is missing of a page is accepted before it is noted how far the
//! walk is, under names that are always the same: whoever goes on after a crash accepts nothing twice.

mod candidate;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use self::candidate::Candidate;
use super::intake::{Intake, Inward};
use super::registrations::UpkeepError;
use crate::clock::Clock;
use crate::config::WebhookConfig;
use crate::model::{Origin, ResourceKind};
use crate::podium::client::Client;
use crate::store::{MirrorStore, NoteStore};

/// Where it is kept how far a walk is.
const NOTE: &str = "podium/repair";

/// A walk that was broken off is gone on with within this; after it, another begins.
const RESUMED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the mirror may take to know what was accepted before the walk began.
const MIRROR_WITHIN: Duration = Duration::from_secs(120);

/// What reads back what was missed.
pub struct Repair {
    /// Podium.
    pub client: Arc<Client>,
    /// What is known.
    pub mirror: Arc<dyn MirrorStore>,
    /// Where it is kept how far a walk is.
    pub notes: Arc<dyn NoteStore>,
    /// What takes what was missing.
    pub intake: Arc<dyn Intake>,
    /// Which source an event belongs to.
    pub webhooks: Vec<WebhookConfig>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// How far a walk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// From when on what happened is looked for.
    pub since: Timestamp,
    /// When the walk began.
    pub begun_at: Timestamp,
    /// The list that is walked through.
    pub list: String,
    /// How many things were looked at.
    pub examined: u64,
    /// How many events were missing, by type.
    pub missing: BTreeMap<String, u64>,
    /// The place in the list.
    cursor: Option<String>,
}

/// What a walk came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many things were looked at.
    pub examined: u64,
    /// How many events were missing, by type.
    pub missing: BTreeMap<String, u64>,
    /// Lists that Podium does not let this account read, with what it says.
    pub closed: Vec<(String, String)>,
}

impl Summary {
    /// How many events were missing.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missing.values().sum()
    }
}

/// What Podium lists, in the order in which it is walked through. Calls can't be listed.
const LISTS: [&str; 7] = [
    "conversations",
    "contacts",
    "invoices",
    "paid invoices",
    "refunded invoices",
    "reviews",
    "review invites",
];

impl Repair {
    /// Walks through what happened since a moment. What is missing is accepted, or with `dry_run` only counted. `shown` is told
    /// how far it is.
    ///
    /// # Errors
    /// When Podium or the store does not answer: the next walk goes on where this one was.
    pub async fn run(
        &self,
        since: Timestamp,
        dry_run: bool,
        mut shown: impl FnMut(&Progress) + Send,
    ) -> Result<Summary, UpkeepError> {
        self.wait_for_the_mirror().await?;
        let (mut progress, mut version, is_resumed) = self.begin(since, dry_run).await?;
        let mut summary = Summary::default();
        let mut closed = BTreeMap::new();
        // The lists that an earlier walk was through with do not have what was missed since: then all of them once more.
        for is_again in [false, true] {
            if is_again && !is_resumed {
                break;
            }
            if is_again {
                progress = Progress { since: progress.begun_at, begun_at: self.clock.now(), ..progress };
                (progress.list, progress.cursor) = (LISTS[0].to_owned(), None);
            }
            let first = LISTS.iter().position(|list| *list == progress.list).unwrap_or(0);
            for list in &LISTS[first..] {
                if progress.list != *list {
                    (progress.list, progress.cursor) = ((*list).to_owned(), None);
                }
                let mut walk = walk::Walk::of(list, self, &progress);
                loop {
                    let page = match walk.next().await {
                        Ok(Some(page)) => page,
                        Ok(None) => break,
                        // Whoever signed in need not be allowed all: the rest is read all the same.
                        Err(error) if walk::is_closed(&error) => {
                            tracing::warn!(list, %error, "this list can't be read");
                            closed.insert((*list).to_owned(), error.to_string());
                            break;
                        }
                        Err(error) => return Err(error.into()),
                    };
                    progress.examined += page.examined;
                    for (event_type, number) in self.take_in(page.candidates, progress.since, dry_run).await?
                    {
                        *progress.missing.entry(event_type.to_owned()).or_default() += number;
                    }
                    progress.cursor = walk.cursor();
                    if !dry_run {
                        version = self.note(&progress, version).await?;
                    }
                    shown(&progress);
                }
            }
        }
        if !dry_run {
            self.end(&progress, version).await?;
        }
        summary.closed = closed.into_iter().collect();
        summary.examined = progress.examined;
        summary.missing = progress.missing;
        Ok(summary)
    }

    /// Accepts what the mirror does not know, and returns how much that was, by type.
    async fn take_in(
        &self,
        candidates: Vec<Candidate>,
        since: Timestamp,
        dry_run: bool,
    ) -> Result<BTreeMap<&'static str, u64>, UpkeepError> {
        let mut by_kind: BTreeMap<ResourceKind, Vec<Candidate>> = BTreeMap::new();
        for candidate in candidates {
            by_kind.entry(candidate.kind).or_default().push(candidate);
        }
        let mut missing = BTreeMap::new();
        for (kind, candidates) in by_kind {
            let uids: Vec<String> = candidates.iter().map(|candidate| candidate.uid.clone()).collect();
            let known = self.mirror.resources_by_uid(kind, &uids).await?;
            let lacking: Vec<_> = candidates
                .iter()
                .filter_map(|candidate| {
                    let known = known.iter().find(|known| known.uid == candidate.uid);
                    let event_type = candidate.event_type(known, since)?;
                    Some((event_type, candidate, self.source_of(candidate, event_type)?))
                })
                .collect();
            let inward = lacking.iter().map(|(event_type, candidate, source)| Inward {
                source: source.clone(),
                body: candidate.body(event_type),
                origin: Origin::Repair,
            });
            let inward: Vec<Inward> = inward.collect();
            let are_new =
                if dry_run { vec![true; inward.len()] } else { self.intake.take_in(inward).await? };
            for ((event_type, ..), _) in lacking.iter().zip(are_new).filter(|(_, is_new)| *is_new) {
                *missing.entry(*event_type).or_default() += 1;
            }
        }
        Ok(missing)
    }

    /// The source whose webhook would have told of it. None where webhooks are configured and none of them would: of another
    /// location, or of a type that nobody wants.
    fn source_of(&self, candidate: &Candidate, event_type: &str) -> Option<String> {
        if self.webhooks.is_empty() {
            return Some("default".to_owned());
        }
        let is_of = |webhook: &&WebhookConfig| {
            let is_owned = match (&webhook.location, &webhook.organization) {
                (Some(location), _) => candidate.locations.contains(location),
                (None, organization) => candidate.organization == *organization,
            };
            // What does not say whose it is may be anybody's.
            let is_nobodys = candidate.locations.is_empty() && candidate.organization.is_none();
            (is_owned || is_nobodys) && webhook.events.iter().any(|pattern| pattern.matches(event_type))
        };
        self.webhooks.iter().find(is_of).map(|webhook| webhook.source.clone())
    }

    /// What was accepted and is not in the mirror yet would look as if it were missing.
    async fn wait_for_the_mirror(&self) -> Result<(), UpkeepError> {
        let (begun, until) = (self.clock.now(), Instant::now() + MIRROR_WITHIN);
        loop {
            let status = self.mirror.mirror_status().await?;
            if status.oldest_at.is_none_or(|oldest| oldest > begun) {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(UpkeepError::Mirror(format!(
                    "{} events are not in the mirror yet, and would look as if they were missing: a server must run \
                     (`lectern`), and `lectern rebuild --status` says how far it is",
                    status.waiting
                )));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Goes on with a walk that was broken off, or begins one.
    async fn begin(&self, since: Timestamp, dry_run: bool) -> Result<(Progress, u64, bool), UpkeepError> {
        let now = self.clock.now();
        let new = Progress {
            since,
            begun_at: now,
            list: LISTS[0].to_owned(),
            examined: 0,
            missing: BTreeMap::new(),
            cursor: None,
        };
        let Some(note) = self.notes.note(NOTE).await? else { return Ok((new, 0, false)) };
        let earlier: Option<Progress> = serde_json::from_slice(&note.content).ok();
        let is_fresh = |progress: &Progress| {
            let age = Duration::try_from(now.duration_since(progress.begun_at)).unwrap_or_default();
            age <= RESUMED_WITHIN && progress.since <= since && LISTS.contains(&progress.list.as_str())
        };
        match earlier.filter(|progress| !dry_run && is_fresh(progress)) {
            Some(progress) => {
                tracing::info!(
                    list = progress.list,
                    examined = progress.examined,
                    "an earlier repair is gone on with"
                );
                Ok((progress, note.version, true))
            }
            None => Ok((new, note.version, false)),
        }
    }

    async fn note(&self, progress: &Progress, version: u64) -> Result<u64, UpkeepError> {
        let content = serde_json::to_vec(progress).unwrap_or_default();
        if self.notes.write_note(NOTE, &content, version, self.clock.now()).await? {
            return Ok(version + 1);
        }
        Err(UpkeepError::Unknown("another repair is under way: wait until it is through".to_owned()))
    }

    async fn end(&self, progress: &Progress, version: u64) -> Result<(), UpkeepError> {
        let missed: u64 = progress.missing.values().sum();
        if missed > 0 {
            let data =
                serde_json::json!({ "since": progress.since, "missed": missed, "byType": progress.missing });
            let source = self.webhooks.first().map_or("default", |webhook| &webhook.source);
            let uid = format!("lectern:gap_repaired:{}", progress.begun_at.as_microsecond());
            let told = super::intake::told(source, "lectern.gap_repaired", &uid, self.clock.now(), data);
            self.intake.take_in(vec![told]).await?;
        }
        // Last: whoever dies before it tells it again, under the same name.
        if version > 0 {
            self.notes.erase_note(NOTE, version).await?;
        }
        Ok(())
    }
}
