//! Why Podium did not give what it was asked for.

use std::borrow::Cow;
use std::time::Duration;

use super::credential::CredentialError;

/// Why Podium did not give what it was asked for. Each says what to do about it, and none holds a token or a body.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no token to ask with.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Podium knows the token no more, and no other could be had.
    #[error("Podium does not accept the token any more: sign in again with `lectern auth login`")]
    Unauthenticated,
    /// The token may not do this, or the user who gave it may not.
    #[error(
        "Podium does not allow this ({message}): {}",
        scope.as_ref().map_or_else(
            || "the user who signed in lacks the permission".to_owned(),
            |scope| format!("it needs the scope `{scope}`, and a user who has that permission"),
        )
    )]
    Forbidden {
        /// What Podium said.
        message: String,
        /// The scope that is needed, or those of which one may be lacking.
        scope: Option<Cow<'static, str>>,
    },
    /// There is no such thing, or it is not this user's.
    #[error("Podium has no such thing ({message})")]
    NotFound {
        /// What Podium said.
        message: String,
    },
    /// The place in a list is not known any more.
    #[error("Podium does not know the cursor any more")]
    InvalidCursor,
    /// Too much was asked within a minute, by this program and others with the same account.
    #[error("Podium allows no more requests for {} seconds", retry_after.as_secs())]
    RateLimited {
        /// After how long it may be asked again.
        retry_after: Duration,
    },
    /// Podium does not take the request.
    #[error("Podium refused this ({status}, {code}): {message}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// Podium's word for the reason.
        code: String,
        /// What Podium said.
        message: String,
    },
    /// Podium fails.
    #[error("Podium fails ({status}): try again later")]
    Failing {
        /// The status of the answer.
        status: u16,
    },
    /// Podium did not answer.
    #[error("Podium did not answer ({0}): try again later")]
    Unreachable(String),
    /// What came is no answer of Podium's.
    #[error("the answer is not one of Podium's API ({0}): `podium.api_url` is where that is")]
    Unreadable(String),
}

impl ClientError {
    /// Whether it may be otherwise when it is asked again later, without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Failing { .. } | Self::Unreachable(_) | Self::Unreadable(_) => {
                true
            }
            Self::Credential(error) => error.is_passing(),
            Self::Unauthenticated
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::InvalidCursor
            | Self::Refused { .. } => false,
        }
    }
}
