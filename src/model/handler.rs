//! Handlers as they may be shown, and how each of them stands.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Activity, Backlog, OnDead, Ordering, TypePattern};

/// A configured handler, without its own settings, which may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerConfiguration {
    /// Its name.
    pub name: String,
    /// The kind that it is an instance of.
    pub kind: String,
    /// It wants events whose type fits one of these.
    pub events: Vec<TypePattern>,
    /// It wants only events of these locations; empty means all.
    pub locations: Vec<String>,
    /// How many calls may run side by side in one process.
    pub concurrency: u32,
    /// Which of its deliveries wait for one another.
    pub ordering: Ordering,
    /// What becomes of the later ones when one is given up.
    pub on_dead: OnDead,
}

/// How a handler stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Handler)]
pub struct HandlerStatus<'a> {
    /// Its name.
    pub name: &'a str,
    /// The kind that it is an instance of; none when it is not configured.
    pub kind: Option<&'a str>,
    /// Whether it works.
    pub state: HandlerState,
    /// Since when it is paused, configured or not.
    pub paused_at: Option<Timestamp>,
    /// How many of its deliveries are open.
    pub backlog: u64,
    /// How many of its queues wait for a person.
    pub parked: u64,
    /// How many of its deliveries are dead.
    pub dead: u64,
    /// When the first of its queues is or was due.
    pub oldest_due_at: Option<Timestamp>,
    /// How fast it is.
    pub rates: Rates,
    /// The part of its configuration that is worth seeing.
    pub configuration: Option<Configuration<'a>>,
}

/// Whether a handler works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandlerState {
    /// It is given what is due.
    Running,
    /// It is given nothing until it is resumed.
    Paused,
    /// It fails throughout, so that it is only probed.
    Failing,
    /// There are deliveries for it, and it is not in the configuration.
    Unconfigured,
}

impl HandlerState {
    /// The word that it is written as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Failing => "failing",
            Self::Unconfigured => "unconfigured",
        }
    }
}

/// Attempts a second, over the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Rates {
    /// Those that ended well.
    pub done: f64,
    /// Those that failed.
    pub failed: f64,
}

impl Rates {
    fn of(activity: &Activity, over: SignedDuration) -> Self {
        let over = over.as_secs_f64().max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 attempts in a minute")]
        // To the thousandth: nobody reads more.
        let rate = |number: u64| (number as f64 / over * 1000.0).round() / 1000.0;
        Self { done: rate(activity.done), failed: rate(activity.failed) }
    }
}

/// What is shown of a handler's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HandlerConfiguration)]
pub struct Configuration<'a> {
    events: &'a [TypePattern],
    locations: &'a [String],
    concurrency: u32,
    ordering: Ordering,
    on_dead: OnDead,
}

/// How every handler stands: the configured ones in their order, then those that are not configured and that there is
/// something to say of, by name. `activity` is what was counted from `since` to `now`.
#[must_use]
pub fn handlers<'a>(
    configured: &'a [HandlerConfiguration],
    backlog: &'a [Backlog],
    paused: &'a [(String, Timestamp)],
    activity: &[Activity],
    since: Timestamp,
    now: Timestamp,
) -> Vec<HandlerStatus<'a>> {
    let status = |name: &'a str, configuration: Option<&'a HandlerConfiguration>| {
        let backlog = backlog.iter().find(|backlog| backlog.handler == name);
        let paused_at = paused.iter().find(|(paused, _)| paused == name).map(|(_, at)| *at);
        let activity = activity.iter().find(|activity| activity.handler == name);
        let is_failing =
            activity.and_then(|activity| activity.failing_until).is_some_and(|until| until > now);
        let state = match (configuration, paused_at) {
            (None, _) => HandlerState::Unconfigured,
            (Some(_), Some(_)) => HandlerState::Paused,
            (Some(_), None) if is_failing => HandlerState::Failing,
            (Some(_), None) => HandlerState::Running,
        };
        HandlerStatus {
            name,
            kind: configuration.map(|configuration| configuration.kind.as_str()),
            state,
            paused_at,
            backlog: backlog.map_or(0, |backlog| backlog.open),
            parked: backlog.map_or(0, |backlog| backlog.parked),
            dead: backlog.map_or(0, |backlog| backlog.dead),
            oldest_due_at: backlog.and_then(|backlog| backlog.oldest_due_at),
            rates: activity
                .map(|activity| Rates::of(activity, now.duration_since(since)))
                .unwrap_or_default(),
            configuration: configuration.map(|configuration| Configuration {
                events: &configuration.events,
                locations: &configuration.locations,
                concurrency: configuration.concurrency,
                ordering: configuration.ordering,
                on_dead: configuration.on_dead,
            }),
        }
    };
    let mut others: BTreeSet<&str> = backlog.iter().map(|backlog| backlog.handler.as_str()).collect();
    others.extend(paused.iter().map(|(name, _)| name.as_str()));
    for configuration in configured {
        others.remove(configuration.name.as_str());
    }
    let configured =
        configured.iter().map(|configuration| (configuration.name.as_str(), Some(configuration)));
    configured
        .chain(others.into_iter().map(|name| (name, None)))
        .map(|(name, configuration)| status(name, configuration))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(name: &str) -> HandlerConfiguration {
        HandlerConfiguration {
            name: name.to_owned(),
            kind: "log".to_owned(),
            events: vec!["*".parse().unwrap()],
            locations: vec![],
            concurrency: 8,
            ordering: Ordering::Conversation,
            on_dead: OnDead::Continue,
        }
    }

    #[test]
    fn a_handler_is_paused_before_it_is_failing_and_failing_only_as_long_as_somebody_says_so() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let failing = |until| {
            [Activity { handler: "crm".into(), failing_until: Some(at(until)), ..Activity::default() }]
        };
        let (crm, paused) = ([configured("crm")], [("crm".to_owned(), at(5))]);
        let state =
            |paused, activity: &[Activity]| handlers(&crm, &[], paused, activity, at(40), at(100))[0].state;
        assert_eq!(state(&[], &[]), HandlerState::Running);
        assert_eq!(state(&[], &failing(101)), HandlerState::Failing);
        assert_eq!(state(&[], &failing(100)), HandlerState::Running);
        assert_eq!(state(&paused, &failing(101)), HandlerState::Paused);
    }

    #[test]
    fn handlers_that_are_not_configured_follow_those_that_are() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let backlog = |handler: &str| Backlog {
            handler: handler.to_owned(),
            open: 3,
            parked: 0,
            dead: 1,
            oldest_due_at: Some(at(7)),
        };
        let configured = [configured("zebra"), configured("crm")];
        let (backlog, paused) =
            ([backlog("old"), backlog("crm")], [("older".to_owned(), at(1)), ("aged".to_owned(), at(2))]);
        let activity = [Activity { handler: "crm".into(), done: 90, failed: 1, failing_until: None }];
        let all = handlers(&configured, &backlog, &paused, &activity, at(40), at(100));
        let shown: Vec<_> = all.iter().map(|one| (one.name, one.state, one.backlog)).collect();
        let (running, unconfigured) = (HandlerState::Running, HandlerState::Unconfigured);
        let expected = [
            ("zebra", running, 0),
            ("crm", running, 3),
            ("aged", unconfigured, 0),
            ("old", unconfigured, 3),
            ("older", unconfigured, 0),
        ];
        assert_eq!(shown, expected);
        assert_eq!(all[1].rates, Rates { done: 1.5, failed: 0.017 });
        assert_eq!(all[2].paused_at, Some(at(2)));
    }
}
