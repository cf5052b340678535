//! Sources as they may be shown, and how far each of their secrets is on its way out.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{SecretDigest, SecretUse};

/// How long Podium keeps an event that it could not deliver. A secret that signed nothing for longer than this, while
/// another did, signs nothing any more.
const PODIUM_QUEUE: SignedDuration = SignedDuration::from_hours(10 * 24);

/// A webhook that may call, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, the last part of its URL.
    pub name: String,
    /// Whether a request without a signature is accepted.
    pub allow_unsigned: bool,
    /// What its secrets are called.
    pub secrets: Vec<Secret>,
}

/// A secret of a source, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it is called.
    pub name: String,
    /// Which one it is.
    pub digest: SecretDigest,
    /// The last moment at which it counts; none when it always does.
    pub not_after: Option<Timestamp>,
}

/// How a source and its secrets stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
pub struct SourceStatus<'a> {
    /// Its name.
    pub name: &'a str,
    /// The path of its webhook.
    pub path: String,
    /// Whether a request without a signature is accepted.
    pub allow_unsigned: bool,
    /// Its secrets, in the order of the configuration.
    pub secrets: Vec<SecretStatus<'a>>,
}

/// How a secret stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Secret)]
pub struct SecretStatus<'a> {
    /// What it is called.
    pub name: &'a str,
    /// How far it is on its way out.
    pub state: SecretState,
    /// The last moment at which it counts; none when it always does.
    pub not_after: Option<Timestamp>,
    /// When it last verified an event; none when it never did.
    pub last_used_at: Option<Timestamp>,
    /// How many events it verified.
    pub event_count: u64,
}

/// How far a secret is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// It verifies events, or did so last.
    Active,
    /// It has not verified anything yet.
    Unused,
    /// It has verified nothing for longer than Podium keeps events, and another one did meanwhile: it can go.
    SafeToRetire,
    /// It counts no more.
    Expired,
}

impl SecretState {
    /// The word that it is written as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unused => "unused",
            Self::SafeToRetire => "safe_to_retire",
            Self::Expired => "expired",
        }
    }
}

impl Secret {
    /// Whether it counts no more at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.not_after.is_some_and(|not_after| not_after < now)
    }
}

impl Source {
    /// The path of its webhook.
    #[must_use]
    pub fn path(&self) -> String {
        match self.name.as_str() {
            "default" => "/webhooks/podium".to_owned(),
            name => format!("/webhooks/podium/{name}"),
        }
    }

    /// How it stands at `now`, from what is known of the use of secrets.
    #[must_use]
    pub fn status(&self, uses: &[SecretUse], now: Timestamp) -> SourceStatus<'_> {
        let use_of = |secret: &Secret| uses.iter().find(|used| used.secret == secret.digest);
        let last_used_at = |secret: &Secret| use_of(secret).and_then(|used| used.last_used_at);
        let secrets = self.secrets.iter().map(|secret| {
            let used = use_of(secret);
            let is_replaced = |since: Timestamp| {
                now.duration_since(since) > PODIUM_QUEUE
                    && self.secrets.iter().filter_map(last_used_at).any(|other| other > since)
            };
            // One that was never used is quiet for as long as it is known.
            let quiet_since = used.map(|used| used.last_used_at.unwrap_or(used.known_since));
            let state = match quiet_since {
                _ if secret.is_expired(now) => SecretState::Expired,
                Some(since) if is_replaced(since) => SecretState::SafeToRetire,
                _ if last_used_at(secret).is_none() => SecretState::Unused,
                _ => SecretState::Active,
            };
            SecretStatus {
                name: &secret.name,
                state,
                not_after: secret.not_after,
                last_used_at: last_used_at(secret),
                event_count: used.map_or(0, |used| used.events),
            }
        });
        SourceStatus {
            name: &self.name,
            path: self.path(),
            allow_unsigned: self.allow_unsigned,
            secrets: secrets.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SecretState::{Active, Expired, SafeToRetire, Unused};
    use super::*;

    /// So many days after the first of all days.
    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + number * 24 * 60 * 60).unwrap()
    }

    /// The states of secrets at the hundredth day, each known since a day and perhaps used on one.
    fn states(secrets: &[(i64, Option<i64>)]) -> Vec<SecretState> {
        let names: Vec<String> = (0..secrets.len()).map(|number| number.to_string()).collect();
        let secret = |name: &String| Secret {
            name: name.clone(),
            digest: SecretDigest::of("north", name),
            not_after: None,
        };
        let source = Source {
            name: "north".to_owned(),
            allow_unsigned: false,
            secrets: names.iter().map(secret).collect(),
        };
        let used = |(name, (since, last)): (&String, &(i64, Option<i64>))| SecretUse {
            secret: SecretDigest::of("north", name),
            source: "north".to_owned(),
            name: name.clone(),
            known_since: day(*since),
            last_used_at: last.map(day),
            events: 1,
        };
        let uses: Vec<SecretUse> = names.iter().zip(secrets).map(used).collect();
        source.status(&uses, day(100)).secrets.iter().map(|secret| secret.state).collect()
    }

    #[test]
    fn a_secret_is_safe_to_retire_once_another_took_over_for_longer_than_podium_keeps_events() {
        for (old, new, expected) in [
            // Added, and nothing is signed with it yet.
            ((0, Some(100)), (100, None), [Active, Unused]),
            // Podium signs with it since yesterday.
            ((0, Some(99)), (98, Some(100)), [Active, Active]),
            // Ten days to the second may still be in Podium's queue.
            ((0, Some(90)), (89, Some(100)), [Active, Active]),
            ((0, Some(89)), (88, Some(100)), [SafeToRetire, Active]),
            // A quiet webhook proves nothing: the one that signed last may sign next.
            ((0, Some(50)), (49, None), [Active, SafeToRetire]),
            ((0, Some(50)), (95, None), [Active, Unused]),
            ((0, None), (0, None), [Unused, Unused]),
            // It was replaced before it was ever seen.
            ((0, None), (0, Some(60)), [SafeToRetire, Active]),
        ] {
            assert_eq!(states(&[old, new]), expected, "{old:?} {new:?}");
        }
        assert_eq!(states(&[(0, Some(1))]), [Active], "the only one is never safe to retire");
    }

    #[test]
    fn a_secret_counts_until_the_last_moment_of_it() {
        let secret = |not_after| Secret {
            name: "old".to_owned(),
            digest: SecretDigest::of("north", "old"),
            not_after: Some(not_after),
        };
        let expires = |not_after| {
            let source =
                Source { name: "north".into(), allow_unsigned: false, secrets: vec![secret(not_after)] };
            source.status(&[], day(1)).secrets[0].state
        };
        assert_eq!((expires(day(0)), expires(day(1)), expires(day(2))), (Expired, Unused, Unused));
    }

    #[test]
    fn a_digest_is_of_one_source_and_one_secret_and_shows_neither() {
        let digest = SecretDigest::of("north", "hunter2");
        assert_eq!(digest, SecretDigest::of("north", "hunter2"));
        assert_ne!(digest, SecretDigest::of("south", "hunter2"));
        assert_ne!(digest, SecretDigest::of("north", "hunter3"));
        assert_eq!(format!("{digest:?}"), "SecretDigest(hidden)");
    }
}
