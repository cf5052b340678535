//! What Lectern asks Podium with: tokens that are kept for all processes, and are renewed in time.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::seal::{NotSealed, SealingKey};
use crate::clock::Clock;
use crate::podium::client::{Credential, CredentialError, OAuth, OAuthError, Tokens};
use crate::store::{LeaseToken, NoteStore, StoreError};
use crate::telemetry::Chain;

/// Where the tokens are kept.
const NOTE: &str = "podium/tokens";

/// What renewing them is leased as.
const RENEWING: &str = "podium/renewing";

/// Tokens are renewed when they end within this: a request under way must not outlive its token.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// How long an access token is good for when Podium does not say: 10 hours, by its documents.
const LIVES: Duration = Duration::from_secs(10 * 60 * 60);

/// How long one process may take to renew tokens before another does it.
const LEASE: Duration = Duration::from_secs(90);

/// How often, and how many times, to look whether another process has renewed them.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: u32 = 400;

/// How old what a process knows of the tokens may be: somebody may have signed in or out elsewhere.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// How long a process that stops waits for tokens that are being renewed.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How often what was renewed is written again while the store is away.
const WRITES: u32 = 40;

/// The account at Podium that a person has signed in with.
pub struct Account {
    notes: Arc<dyn NoteStore>,
    clock: Arc<dyn Clock>,
    key: SealingKey,
    oauth: Option<OAuth>,
    /// Tokens that are renewed and are not yet in the store: Podium may have made the ones before worthless.
    pending: PathBuf,
    known: Mutex<Option<(Kept, Instant)>>,
    /// Whoever asks may be gone before Podium answers. What it answers must be kept all the same.
    under_way: TaskTracker,
}

/// The tokens as they are kept, sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    access: String,
    refresh: Option<String>,
    ends_at: Timestamp,
    scopes: Vec<String>,
    signed_in_at: Timestamp,
    renewed_at: Timestamp,
}

/// Tokens that wait on this machine's disk for the store.
#[derive(Serialize, Deserialize)]
struct Pending {
    kept: Kept,
    /// The version of the note that they take the place of.
    instead_of: u64,
}

/// How the account stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// When a person signed in.
    pub signed_in_at: Timestamp,
    /// When the tokens were last renewed.
    pub renewed_at: Timestamp,
    /// When the access token ends; it is renewed before.
    pub ends_at: Timestamp,
    /// Whether it can be renewed without a person.
    pub renews: bool,
    /// What it may be used for.
    pub scopes: Vec<String>,
}

/// Why the account can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The store does not give or take it.
    #[error("the tokens can't be kept")]
    Store(#[from] StoreError),
    /// It is sealed with another key.
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    /// The disk does not take it, or the system gives no random bytes.
    #[error("the tokens can't be sealed: {0}")]
    Io(#[from] io::Error),
}

impl Account {
    /// The account that is kept in `notes`, sealed with `key`. `pending` is a file of this process's own.
    #[must_use]
    pub fn new(
        notes: Arc<dyn NoteStore>,
        clock: Arc<dyn Clock>,
        key: SealingKey,
        oauth: Option<OAuth>,
        pending: PathBuf,
    ) -> Self {
        let under_way = TaskTracker::new();
        Self { notes, clock, key, oauth, pending, known: Mutex::default(), under_way }
    }

    /// How the account stands; none when nobody has signed in.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn standing(&self) -> Result<Option<Standing>, AccountError> {
        Ok(self.load().await?.map(|(kept, _)| Standing {
            signed_in_at: kept.signed_in_at,
            renewed_at: kept.renewed_at,
            ends_at: kept.ends_at,
            renews: kept.refresh.is_some(),
            scopes: kept.scopes,
        }))
    }

    /// Forgets the tokens, in every process. Returns whether there were any.
    ///
    /// # Errors
    /// When they can't be forgotten.
    pub async fn sign_out(&self) -> Result<bool, AccountError> {
        self.forget_pending();
        *self.known() = None;
        while let Some(note) = self.notes.note(NOTE).await? {
            if self.notes.erase_note(NOTE, note.version).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps tokens that a person has signed in for, who was asked for these scopes.
    pub(super) async fn keep(&self, tokens: &Tokens, asked: &[String]) -> Result<(), AccountError> {
        let kept = self.kept(tokens, None, asked);
        let sealed = self.sealed(&kept)?;
        loop {
            let version = self.notes.note(NOTE).await?.map_or(0, |note| note.version);
            if self.notes.write_note(NOTE, &sealed, version, self.clock.now()).await? {
                self.forget_pending();
                *self.known() = Some((kept, Instant::now()));
                return Ok(());
            }
        }
    }

    /// Does it, whether or not the asker waits for it to the end.
    pub(super) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.under_way.spawn(work).await.ok()
    }

    /// Waits for what must not be broken off, for some seconds at the most: before the process ends.
    pub async fn rest(&self) {
        self.under_way.close();
        // What takes longer is on this disk by then, or Podium does not answer.
        let _ = timeout(END_WITHIN, self.under_way.wait()).await;
    }

    pub(super) const fn oauth(&self) -> Option<&OAuth> {
        self.oauth.as_ref()
    }

    pub(super) fn notes(&self) -> &dyn NoteStore {
        &*self.notes
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same as `renewed`, which is not broken off.
    async fn renewed_to_the_end(self: &Arc<Self>, stale: Option<String>) -> Result<Kept, CredentialError> {
        let this = Arc::clone(self);
        let renewed = self.to_the_end(async move { this.renewed(stale.as_deref()).await }).await;
        renewed.unwrap_or_else(|| Err(CredentialError::NotNow("the process ends".to_owned())))
    }

    /// Tokens other than those whose access token is `stale`, or that are not good for long enough.
    async fn renewed(&self, stale: Option<&str>) -> Result<Kept, CredentialError> {
        let lease = LeaseToken::at(self.clock.now());
        for _ in 0..LOOKS {
            let Some((kept, version)) = self.load().await.map_err(not_now)? else { return Err(signed_out()) };
            if !self.is_stale(&kept, stale) {
                return Ok(kept);
            }
            let now = self.clock.now();
            let until = now.checked_add(LEASE).unwrap_or(now);
            if self.notes.lease_task(RENEWING, lease, now, until).await.map_err(|error| away(&error))? {
                let renewed = self.renew(kept, version).await;
                // Where this fails, the lease ends by itself.
                let _ = self.notes.lease_task(RENEWING, lease, now, now).await;
                return renewed;
            }
            sleep(LOOK).await;
        }
        Err(CredentialError::NotNow("another process does not get on with renewing the tokens".to_owned()))
    }

    fn is_stale(&self, kept: &Kept, stale: Option<&str>) -> bool {
        let lives = Duration::try_from(kept.ends_at.duration_since(kept.renewed_at)).unwrap_or_default();
        // Of what lives for minutes only the last part is too short.
        let ahead = AHEAD.min(lives / 10);
        stale == Some(kept.access.as_str())
            || self.clock.now().checked_add(ahead).is_ok_and(|soon| kept.ends_at <= soon)
    }

    async fn renew(&self, kept: Kept, version: u64) -> Result<Kept, CredentialError> {
        let needs =
            |what: &str| CredentialError::Needs(format!("{what}: sign in again with `lectern auth login`"));
        // Another process may have been at it between the look and the lease.
        let latest = self.load().await.map_err(not_now)?.ok_or_else(signed_out)?;
        if latest.1 != version {
            return Ok(latest.0);
        }
        let oauth = self.oauth.as_ref().ok_or_else(|| {
            needs("`podium.client_id` and `podium.client_secret` are not set, so the tokens can't be renewed")
        })?;
        let refresh = kept.refresh.as_deref().map(SecretString::from);
        let refresh = refresh.ok_or_else(|| needs("Podium gave nothing to renew the tokens with"))?;
        let tokens = match oauth.refresh(&refresh).await {
            Ok(tokens) => tokens,
            Err(OAuthError::Refused(why)) => {
                return Err(needs(&format!("Podium does not renew the tokens ({why})")));
            }
            Err(error) => {
                return Err(CredentialError::NotNow(format!("the tokens can't be renewed now: {error}")));
            }
        };
        let renewed = self.kept(&tokens, Some(&kept), &kept.scopes);
        // First onto this disk: from now on the old tokens may be worth nothing, and the store may be away.
        if let Err(error) = self.keep_pending(&renewed, version) {
            tracing::warn!(error = %Chain(&error), "renewed tokens can't be put aside on this disk");
        }
        *self.known() = Some((renewed.clone(), Instant::now()));
        let sealed = self.sealed(&renewed).map_err(not_now)?;
        for _ in 0..WRITES {
            match self.notes.write_note(NOTE, &sealed, version, self.clock.now()).await {
                Ok(true) => {
                    self.forget_pending();
                    break;
                }
                // A person has signed in meanwhile, or out: that is what counts.
                Ok(false) => {
                    self.forget_pending();
                    return self.load().await.map_err(not_now)?.map(|(kept, _)| kept).ok_or_else(signed_out);
                }
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "renewed tokens can't be kept yet");
                    sleep(LOOK).await;
                }
            }
        }
        tracing::info!("the tokens for Podium are renewed");
        Ok(renewed)
    }

    fn kept(&self, tokens: &Tokens, before: Option<&Kept>, asked: &[String]) -> Kept {
        let now = self.clock.now();
        let lives = tokens.lives.unwrap_or(LIVES);
        let refresh = tokens.refresh.as_ref().map(|token| token.expose_secret().to_owned());
        Kept {
            access: tokens.access.expose_secret().to_owned(),
            // What is not sent anew stays.
            refresh: refresh.or_else(|| before?.refresh.clone()),
            ends_at: now.checked_add(lives).unwrap_or(Timestamp::MAX),
            scopes: tokens.scopes.clone().unwrap_or_else(|| asked.to_vec()),
            signed_in_at: before.map_or(now, |before| before.signed_in_at),
            renewed_at: now,
        }
    }

    /// The tokens as they are kept now, with the version of their note.
    async fn load(&self) -> Result<Option<(Kept, u64)>, AccountError> {
        let Some(note) = self.notes.note(NOTE).await? else {
            *self.known() = None;
            return Ok(None);
        };
        let opened = self.key.open(NOTE, &note.content)?;
        let kept: Kept = serde_json::from_slice(&opened).map_err(|_| NotSealed)?;
        let adopted = self.adopt_pending(&kept, note.version).await?;
        let found = adopted.unwrap_or((kept, note.version));
        *self.known() = Some((found.0.clone(), Instant::now()));
        Ok(Some(found))
    }

    /// Takes up what an earlier run has renewed and could not keep.
    async fn adopt_pending(&self, known: &Kept, version: u64) -> Result<Option<(Kept, u64)>, AccountError> {
        let Ok(sealed) = std::fs::read(&self.pending) else { return Ok(None) };
        // What can't be opened may be another's, and good.
        let Ok(opened) = self.key.open(NOTE, &sealed) else { return Ok(None) };
        let pending: Option<Pending> = serde_json::from_slice(&opened).ok();
        let is_next = |pending: &Pending| {
            pending.instead_of == version && pending.kept.signed_in_at == known.signed_in_at
        };
        let Some(Pending { kept, instead_of }) = pending.filter(is_next) else {
            self.forget_pending();
            return Ok(None);
        };
        let is_kept = self.notes.write_note(NOTE, &self.sealed(&kept)?, instead_of, self.clock.now()).await?;
        self.forget_pending();
        if is_kept {
            tracing::info!("tokens that were renewed before the last stop are kept now");
        }
        Ok(is_kept.then_some((kept, instead_of + 1)))
    }

    fn keep_pending(&self, kept: &Kept, instead_of: u64) -> io::Result<()> {
        let plain = serde_json::to_vec(&Pending { kept: kept.clone(), instead_of })?;
        let sealed = self.key.seal(NOTE, &plain)?;
        let folder = self.pending.parent().unwrap_or(std::path::Path::new("."));
        // Temporary files are made readable by their owner only.
        let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        io::Write::write_all(&mut file.as_file(), &sealed)?;
        file.as_file().sync_all()?;
        file.persist(&self.pending).map_err(|error| error.error)?;
        #[cfg(unix)]
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    }

    fn forget_pending(&self) {
        // What is left is told by its version to be old.
        let _ = std::fs::remove_file(&self.pending);
    }

    fn sealed(&self, kept: &Kept) -> Result<Vec<u8>, AccountError> {
        Ok(self.key.seal(NOTE, &serde_json::to_vec(kept).map_err(io::Error::from)?)?)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Kept, Instant)>> {
        // A panic leaves nothing half done in it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Credential for Arc<Account> {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        let known = self.known().clone();
        let is_good = |(kept, at): &(Kept, Instant)| !self.is_stale(kept, None) && at.elapsed() < KNOWN_FOR;
        if let Some((kept, _)) = known.filter(is_good) {
            return Ok(kept.access.into());
        }
        match self.renewed_to_the_end(None).await {
            Ok(kept) => Ok(kept.access.into()),
            Err(error) => {
                // It may still be good for a few minutes, and what could not be done now may be done then.
                let known = self.known().clone().filter(|(kept, _)| kept.ends_at > self.clock.now());
                let known = known.filter(|_| error.is_passing());
                known.map(|(kept, _)| kept.access.into()).ok_or(error)
            }
        }
    }

    async fn instead_of(&self, refused: &SecretString) -> Result<Option<SecretString>, CredentialError> {
        let refused = Some(refused.expose_secret().to_owned());
        Ok(Some(self.renewed_to_the_end(refused).await?.access.into()))
    }
}

fn signed_out() -> CredentialError {
    CredentialError::Needs(
        "nobody has signed in to Podium: `lectern auth login` does, or set `podium.access_token`".to_owned(),
    )
}

fn away(error: &StoreError) -> CredentialError {
    CredentialError::NotNow(Chain(error).to_string())
}

fn not_now(error: AccountError) -> CredentialError {
    match error {
        AccountError::NotSealed(why) => CredentialError::Needs(why.to_string()),
        other => CredentialError::NotNow(Chain(&other).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::store::sqlite::SqliteStore;

    fn tokens(access: &str) -> Tokens {
        Tokens { access: access.into(), refresh: Some("refresh".into()), lives: None, scopes: None }
    }

    #[tokio::test]
    async fn what_was_renewed_and_could_not_be_kept_is_taken_up_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap());
        let account = |key: &str| {
            let key = SealingKey::of(&key.into());
            let pending = folder.path().join("pending");
            Arc::new(Account::new(Arc::clone(&store) as _, Arc::new(SystemClock), key, None, pending))
        };
        let first = account("key");
        first.keep(&tokens("before"), &[]).await.unwrap();
        let (kept, version) = first.load().await.unwrap().unwrap();
        // It dies between Podium's answer and the store.
        first.keep_pending(&first.kept(&tokens("renewed"), Some(&kept), &[]), version).unwrap();

        // Whoever can't open it leaves it alone.
        assert!(account("another key").token().await.is_err());
        let next = account("key");
        assert_eq!(next.token().await.unwrap().expose_secret(), "renewed");
        assert!(!next.pending.exists());
        assert_eq!(account("key").token().await.unwrap().expose_secret(), "renewed");

        // What takes the place of another account's tokens is worth nothing.
        let (kept, version) = next.load().await.unwrap().unwrap();
        next.keep_pending(&kept, version).unwrap();
        next.sign_out().await.unwrap();
        next.keep_pending(&kept, 1).unwrap();
        next.keep(&tokens("of another"), &[]).await.unwrap();
        assert_eq!(account("key").token().await.unwrap().expose_secret(), "of another");
    }
}
