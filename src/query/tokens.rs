//! Who may ask: the configured token, and those that the store keeps.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use subtle::ConstantTimeEq;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::auth::Caller;
use super::failures::Failures;
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::model::{Role, TokenDigest, TokenId};
use crate::store::{Store, StoreError};
use crate::telemetry::{Chain, surviving};

/// How often it is written when tokens were last used. A crash loses no more than this of it.
const EVERY: Duration = Duration::from_secs(60);

/// How long the store may take for it.
const WITHIN: Duration = Duration::from_secs(5);

/// How often, at the most, the store is asked for its tokens while too many fail.
const PAUSE: Duration = Duration::from_secs(1);

/// What the configured token is called where it must be told who asked for something.
const CONFIGURED: &str = "(configured token)";

/// Tells who may ask. Every token is looked up in the store each time, so that one that is revoked opens nothing more. What is
/// remembered here only says which are worth the look while strangers try many.
#[derive(Debug)]
pub struct Tokens {
    configured: TokenDigest,
    failures: Failures,
    memory: Mutex<Memory>,
    /// Somebody was turned away unseen.
    turned_away: Notify,
}

#[derive(Debug, Default)]
struct Memory {
    /// Those that the store had a moment ago. No stranger adds to it. A guess can't be steered towards what its digest is
    /// compared with here, so the time that this takes tells nothing.
    valid: HashSet<TokenDigest>,
    /// When tokens were last used, as far as the store does not know it yet.
    uses: HashMap<TokenId, Timestamp>,
}

impl Tokens {
    /// The configured token, and whatever the store keeps.
    #[must_use]
    pub fn new(configured: TokenDigest) -> Self {
        Self { configured, failures: Failures::none(), memory: Mutex::default(), turned_away: Notify::new() }
    }

    /// Who it is that shows this token, and what they may do.
    pub(super) async fn admit(
        &self,
        digest: &TokenDigest,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(Caller, Role), Refusal> {
        // The configured token first: it opens the API even when the store is unavailable.
        if bool::from(digest.as_bytes().ct_eq(self.configured.as_bytes())) {
            return Ok((Caller(CONFIGURED.to_owned()), Role::Admin));
        }
        // A token that is new here counts as a failure until it is found, so that a flood of guesses is no flood of questions
        // to the store. Those that were valid a moment ago are looked up whatever others do.
        let is_new = !self.memory().valid.contains(digest);
        if is_new {
            self.count_failure(now)?;
        }
        let why = match store.token(digest).await {
            Ok(Some(token)) if !token.is_expired(now) => {
                if is_new {
                    self.failures.take_back();
                }
                self.note_use(token.id, *digest, now);
                return Ok((Caller(token.name), token.role));
            }
            Ok(Some(_)) => "the token has expired",
            Ok(None) => "the token is not known",
            Err(error) => {
                // Nobody knows what it would have been.
                if is_new {
                    self.failures.take_back();
                }
                return Err(error.into());
            }
        };
        if !is_new {
            self.memory().valid.remove(digest);
            self.count_failure(now)?;
        }
        Err(Refusal::Unauthenticated(why))
    }

    /// Turns away who shows nothing that could be a token.
    pub(super) fn refuse(&self, why: &'static str, now: Timestamp) -> Refusal {
        self.count_failure(now).err().unwrap_or(Refusal::Unauthenticated(why))
    }

    fn count_failure(&self, now: Timestamp) -> Result<(), Refusal> {
        self.failures.count(now).map_err(|seconds| {
            self.turned_away.notify_one();
            Refusal::TooManyFailures(seconds)
        })
    }

    fn note_use(&self, id: TokenId, digest: TokenDigest, now: Timestamp) {
        let mut memory = self.memory();
        memory.valid.insert(digest);
        let last = memory.uses.entry(id).or_insert(now);
        *last = now.max(*last);
    }

    /// Learns which tokens the store has: while too many fail, one that nobody has used here yet is worth a look, too.
    async fn learn(&self, store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
        let tokens = timeout(WITHIN, store.tokens()).await.map_err(too_slow)??;
        let valid = tokens.iter().filter(|token| !token.is_expired(now)).map(|token| token.digest).collect();
        self.memory().valid = valid;
        Ok(())
    }

    /// Writes when tokens were last used. What can't be written now stays for the next time.
    async fn write_uses(&self, store: &dyn Store) -> Result<(), StoreError> {
        let uses: Vec<_> = self.memory().uses.iter().map(|(id, at)| (*id, *at)).collect();
        if uses.is_empty() {
            return Ok(());
        }
        timeout(WITHIN, store.note_token_uses(&uses)).await.map_err(too_slow)??;
        let mut memory = self.memory();
        for (id, at) in uses {
            // Unless it was used again meanwhile.
            if memory.uses.get(&id) == Some(&at) {
                memory.uses.remove(&id);
            }
        }
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A panic leaves nothing half done in it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_slow(elapsed: tokio::time::error::Elapsed) -> StoreError {
    StoreError::Unavailable(elapsed.into())
}

/// Writes every minute when tokens were last used, and a last time when `stop` is cancelled: once no request is under way.
/// Meanwhile it keeps in mind which tokens there are.
pub async fn keep_tokens(
    tokens: Arc<Tokens>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let is_last = stop.is_cancelled();
        // Not called off by the stop, which would leave open whether it was written.
        let written = surviving("writing the last use of tokens", tokens.write_uses(&*store)).await;
        if let Some(Err(error)) = written {
            tracing::warn!(error = %Chain(&error), "the last use of tokens can't be written now");
        }
        if is_last {
            return;
        }
        let refused = tokens.failures.refused();
        if refused > 0 {
            tracing::warn!(refused, "too many requests come without a valid token");
        }
        let until = Instant::now() + EVERY;
        let learning = async {
            loop {
                let learned = surviving("learning the tokens", tokens.learn(&*store, clock.now())).await;
                if let Some(Err(error)) = learned {
                    tracing::debug!(error = %Chain(&error), "the tokens can't be learnt now");
                }
                sleep(PAUSE).await;
                tokens.turned_away.notified().await;
            }
        };
        tokio::select! {
            () = learning => {}
            () = sleep_until(until) => {}
            () = stop.cancelled() => {}
        }
    }
}
