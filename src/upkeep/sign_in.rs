//! Signing in: a person allows it at Podium, and comes back with a code.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::account::{Account, AccountError};
use crate::config::random_text;
use crate::podium::client::OAuthError;
use crate::store::StoreError;

/// Where it is kept that somebody is about to sign in: one at a time.
const NOTE: &str = "podium/sign-in";

/// How long a person may take.
const WITHIN: Duration = Duration::from_secs(15 * 60);

/// Somebody is about to sign in.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    /// SHA-256 of the state that Podium must lead back with, in hex.
    state: String,
    scopes: Vec<String>,
    ends_at: Timestamp,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The configuration does not say who asks.
    #[error("`podium.client_id` and `podium.client_secret` are not set: Podium's developer portal has them")]
    NoClient,
    /// Nobody is about to sign in, or it took too long, or it is somebody else's.
    #[error(
        "this is no answer to what `lectern auth login` asked for last, or it came too late: begin again"
    )]
    Unasked,
    /// Podium gives no tokens.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// What is needed can't be kept.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

impl Account {
    /// Begins to sign in: the address at which a person allows it.
    ///
    /// # Errors
    /// When it can't be begun.
    pub async fn begin_sign_in(&self, scopes: &[String]) -> Result<Url, SignInError> {
        let oauth = self.oauth().ok_or(SignInError::NoClient)?;
        let state = random_text().map_err(AccountError::from)?;
        let now = self.now();
        let begun = Begun {
            state: digest(&state),
            scopes: scopes.to_vec(),
            ends_at: now.checked_add(WITHIN).unwrap_or(now),
        };
        let content = serde_json::to_vec(&begun).map_err(|error| AccountError::Io(error.into()))?;
        loop {
            let version = self.notes().note(NOTE).await?.map_or(0, |note| note.version);
            if self.notes().write_note(NOTE, &content, version, now).await? {
                return Ok(oauth.authorize_url(&state, scopes));
            }
        }
    }

    /// Ends to sign in, with what Podium has led back with. A state is good once.
    ///
    /// # Errors
    /// When it is no answer to what was asked for, or no tokens come.
    pub async fn end_sign_in(self: &Arc<Self>, state: &str, code: &str) -> Result<(), SignInError> {
        let (this, state, code) = (Arc::clone(self), state.to_owned(), code.to_owned());
        // A browser that is closed in the middle must not cost the code, which is good once.
        let ended = self.to_the_end(async move { this.end(&state, &code).await }).await;
        ended.unwrap_or(Err(SignInError::Unasked))
    }

    async fn end(&self, state: &str, code: &str) -> Result<(), SignInError> {
        let oauth = self.oauth().ok_or(SignInError::NoClient)?;
        let note = self.notes().note(NOTE).await?.ok_or(SignInError::Unasked)?;
        let begun: Begun = serde_json::from_slice(&note.content).map_err(|_| SignInError::Unasked)?;
        let is_asked = bool::from(digest(state).as_bytes().ct_eq(begun.state.as_bytes()));
        // Whoever guesses does not end what another has begun.
        if !is_asked || begun.ends_at <= self.now() || !self.notes().erase_note(NOTE, note.version).await? {
            return Err(SignInError::Unasked);
        }
        let tokens = oauth.exchange(code).await?;
        self.keep(&tokens, &begun.scopes).await?;
        tracing::info!("signed in to Podium");
        Ok(())
    }
}

fn digest(state: &str) -> String {
    hex::encode(Sha256::digest(state.as_bytes()))
}
