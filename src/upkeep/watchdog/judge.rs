//! What is wrong, and what to do about it: of what is known and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{State, Watched};
use super::{Registered, heard, is_disabled, needs_a_person};
use crate::config::WatchdogConfig;
use crate::model::SecretUse;
use crate::telemetry::Chain;
use crate::upkeep::findings::{DIFFERS, DISABLED, GONE, SILENT, UNCHECKED, renew};
use crate::upkeep::registrations::{Planned, Step};

/// What a webhook that was disabled is enabled again within, so many times.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// After how long without an answer a person should know that Podium can't be asked.
const UNANSWERED: Duration = Duration::from_secs(15 * 60);

/// What can be seen at one moment.
pub(super) struct Known<'k> {
    /// The configured sources.
    pub(super) sources: &'k [String],
    /// When secrets were last used.
    pub(super) uses: &'k [SecretUse],
    /// What Podium says, if it was asked.
    pub(super) registered: Option<&'k Registered>,
    /// When that is.
    pub(super) now: Timestamp,
}

/// Something to do.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    /// Tell of it by an event.
    Tell { source: String, event_type: &'static str, uid: String, data: Value },
    /// Have Podium send again.
    Enable { source: String, uid: String },
}

/// Takes down what can be seen, says what is wrong, and returns what is to be done.
pub(super) fn judge(state: &mut State, config: &WatchdogConfig, known: &Known<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut found: Vec<(&'static str, Option<&str>, String)> = Vec::new();
    // What is configured no more is watched no more.
    state.sources.retain(|source, _| known.sources.contains(source));
    for source in known.sources {
        let watched = state.sources.entry(source.clone()).or_default();
        heard::listen(watched, source, known.uses, known.now);
        if let Some(detail) = silence(watched, source, config, known.now, &mut acts) {
            found.push((SILENT, Some(source), detail));
        }
    }
    let earlier = state.findings.clone();
    match known.registered {
        Some(Ok(planned)) => {
            state.unanswered_since = None;
            for step in planned {
                let watched = state.sources.entry(step.source.clone()).or_default();
                registration(watched, step, config, known.now, &mut acts);
                found.extend(of_step(step).map(|(kind, detail)| (kind, Some(step.source.as_str()), detail)));
            }
        }
        // What is not known now is as it was.
        other => {
            if let Some(Err(error)) = other {
                let since = *state.unanswered_since.get_or_insert(known.now);
                // What passes by itself is worth a word once it lasts.
                if needs_a_person(error) || heard::since(since, known.now) >= UNANSWERED {
                    found.push((UNCHECKED, None, Chain(error).to_string()));
                }
            } else {
                found.extend(again(&earlier, UNCHECKED));
            }
            for kind in [DISABLED, GONE, DIFFERS] {
                found.extend(again(&earlier, kind));
            }
        }
    }
    renew(&mut state.findings, found, known.now);
    acts
}

fn again<'f>(
    findings: &'f [crate::model::Finding],
    kind: &'static str,
) -> impl Iterator<Item = (&'static str, Option<&'f str>, String)> {
    let fitting = findings.iter().filter(move |finding| finding.kind == kind);
    fitting.map(move |finding| (kind, finding.source.as_deref(), finding.detail.clone()))
}

fn of_step(planned: &Planned) -> Option<(&'static str, String)> {
    let source = &planned.source;
    match &planned.step {
        Step::Keep { .. } => None,
        Step::Create => Some((
            GONE,
            format!(
                "no webhook of the source `{source}` is registered at Podium: `lectern webhooks apply` does it"
            ),
        )),
        Step::Change { changes, .. } => {
            let kind = if is_disabled(&planned.step) { DISABLED } else { DIFFERS };
            let parts = changes.parts().join("; ");
            Some((
                kind,
                format!(
                    "the webhook of the source `{source}` is not as configured ({parts}): `lectern webhooks apply` mends it"
                ),
            ))
        }
    }
}

fn registration(
    watched: &mut Watched,
    planned: &Planned,
    config: &WatchdogConfig,
    now: Timestamp,
    acts: &mut Vec<Act>,
) {
    let source = &planned.source;
    watched.enabled.retain(|at| heard::since(*at, now) < DAY);
    match &planned.step {
        Step::Change { uid, changes } if changes.disabled => {
            let since = *watched.disabled_since.get_or_insert(now);
            // Told each time: it has the same name while it lasts.
            acts.push(Act::Tell {
                source: source.clone(),
                event_type: "lectern.webhook_disabled",
                uid: format!("lectern:webhook_disabled:{uid}:{}", since.as_microsecond()),
                data: json!({ "webhookUid": uid, "since": since }),
            });
            if watched.enabled.len() < config.enable_tries as usize {
                acts.push(Act::Enable { source: source.clone(), uid: uid.clone() });
            }
        }
        Step::Keep { uid } | Step::Change { uid, .. } => {
            if let Some(since) = watched.disabled_since.take() {
                acts.push(Act::Tell {
                    source: source.clone(),
                    event_type: "lectern.webhook_reenabled",
                    uid: format!("lectern:webhook_reenabled:{uid}:{}", since.as_microsecond()),
                    data: json!({ "webhookUid": uid, "disabledSince": since }),
                });
            }
        }
        Step::Create => watched.disabled_since = None,
    }
}

fn silence(
    watched: &mut Watched,
    source: &str,
    config: &WatchdogConfig,
    now: Timestamp,
    acts: &mut Vec<Act>,
) -> Option<String> {
    // One that was never heard of is silent only where somebody has said what silence is.
    let heard_at = watched.heard_at.or(watched.since.filter(|_| config.silence.is_some()))?;
    let limit = heard::limit(watched, config.silence, now)?;
    if heard::since(heard_at, now) <= limit {
        watched.silent_since = None;
        return None;
    }
    watched.silent_since.get_or_insert_with(|| {
        acts.push(Act::Tell {
            source: source.to_owned(),
            event_type: "lectern.silence",
            uid: format!("lectern:silence:{source}:{}", heard_at.as_microsecond()),
            data: json!({ "lastHeardAt": heard_at, "usualSeconds": limit.as_secs() }),
        });
        now
    });
    let minutes = limit.as_secs() / 60;
    Some(format!(
        "nothing has come from the source `{source}` since {heard_at}, for more than {minutes} minutes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecretDigest;
    use crate::podium::client::ClientError;
    use crate::upkeep::registrations::{Changes, UpkeepError};

    const CONFIG: WatchdogConfig = WatchdogConfig {
        check_every: Duration::from_secs(300),
        enable_tries: 3,
        silence: None,
        repair_after: None,
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
    }

    fn heard(minute: i64) -> Vec<SecretUse> {
        vec![SecretUse {
            secret: SecretDigest::of("north", "s"),
            source: "north".into(),
            name: "current".into(),
            known_since: at(0),
            last_used_at: Some(at(minute)),
            events: 1,
        }]
    }

    fn look(state: &mut State, minute: i64, uses: &[SecretUse], registered: Option<&Registered>) -> Vec<Act> {
        let sources = ["north".to_owned()];
        judge(state, &CONFIG, &Known { sources: &sources, uses, registered, now: at(minute) })
    }

    fn types(acts: &[Act]) -> Vec<&str> {
        let kind = |act: &Act| match act {
            Act::Tell { event_type, .. } => *event_type,
            Act::Enable { .. } => "enable",
        };
        // Borrowed from statics: nothing of the acts is kept.
        acts.iter().map(kind).collect()
    }

    fn step(step: Step) -> Registered {
        Ok(vec![Planned { source: "north".into(), step }])
    }

    fn disabled() -> Registered {
        let changes = Changes { disabled: true, ..Changes::default() };
        step(Step::Change { uid: "w".into(), changes })
    }

    fn kinds(state: &State) -> Vec<&str> {
        state.findings.iter().map(|finding| finding.kind.as_str()).collect()
    }

    #[test]
    fn a_disabled_webhook_is_told_of_and_enabled_a_bounded_number_of_times() {
        let mut state = State::default();
        // Podium does what it is asked, and disables it again.
        let uids: Vec<Vec<Act>> = (0..5)
            .map(|turn| {
                let acts = look(&mut state, turn * 5, &[], Some(&disabled()));
                if acts.iter().any(|act| matches!(act, Act::Enable { .. })) {
                    state.sources.get_mut("north").unwrap().enabled.push(at(turn * 5));
                }
                acts
            })
            .collect();
        for acts in &uids[..3] {
            assert_eq!(types(acts), ["lectern.webhook_disabled", "enable"]);
        }
        for acts in &uids[3..] {
            assert_eq!(types(acts), ["lectern.webhook_disabled"]);
        }
        // By one name: the ledger takes it once.
        let uid = |acts: &[Act]| match &acts[0] {
            Act::Tell { uid, .. } => uid.clone(),
            Act::Enable { .. } => unreachable!(),
        };
        assert_eq!(uid(&uids[0]), uid(&uids[4]));
        assert_eq!(kinds(&state), [DISABLED]);
        assert_eq!(state.findings[0].since, at(0));
        // The next day it is tried again.
        let acts = look(&mut state, 25 * 60, &[], Some(&disabled()));
        assert_eq!(types(&acts), ["lectern.webhook_disabled", "enable"]);
        let acts = look(&mut state, 25 * 60 + 5, &[], Some(&step(Step::Keep { uid: "w".into() })));
        assert_eq!(types(&acts), ["lectern.webhook_reenabled"]);
        assert!(state.findings.is_empty());
    }

    #[test]
    fn what_is_not_known_now_is_as_it_was() {
        let mut state = State::default();
        look(&mut state, 0, &[], Some(&step(Step::Create)));
        assert_eq!(kinds(&state), [GONE]);
        look(&mut state, 1, &[], None);
        let away = Err(UpkeepError::Podium(ClientError::Failing { status: 503 }));
        look(&mut state, 2, &[], Some(&away));
        assert_eq!(kinds(&state), [GONE]);
        let signed_out = Err(UpkeepError::Podium(ClientError::Unauthenticated));
        look(&mut state, 17, &[], Some(&away));
        assert_eq!(kinds(&state), [UNCHECKED, GONE], "for a quarter of an hour");
        look(&mut state, 18, &[], Some(&signed_out));
        assert_eq!(kinds(&state), [UNCHECKED, GONE]);
        look(&mut state, 19, &[], None);
        assert_eq!(kinds(&state), [UNCHECKED, GONE]);
        look(&mut state, 20, &[], Some(&step(Step::Keep { uid: "w".into() })));
        assert!(state.findings.is_empty());
    }

    #[test]
    fn a_source_is_silent_when_nothing_comes_for_longer_than_its_own_usual() {
        let mut state = State::default();
        let (hour, day) = (60, 24 * 60);
        // A message every half hour, and eight hours of night.
        for minute in 0..4 * day {
            let (of_day, last) = (minute % day, minute - minute % 30);
            let last = if of_day < 8 * hour { minute - of_day - 30 } else { last };
            let acts = look(&mut state, minute, &heard(last.max(0)), None);
            assert!(acts.is_empty(), "at {minute}: {acts:?}");
        }
        let last = 4 * day - 30;
        assert!(look(&mut state, last + 16 * hour, &heard(last), None).is_empty());
        let acts = look(&mut state, last + 18 * hour, &heard(last), None);
        assert_eq!(types(&acts), ["lectern.silence"]);
        assert_eq!(kinds(&state), [SILENT]);
        // Once.
        assert!(look(&mut state, last + 19 * hour, &heard(last), None).is_empty());
        assert!(look(&mut state, last + 20 * hour, &heard(last + 20 * hour), None).is_empty());
        assert!(state.findings.is_empty());
    }

    #[test]
    fn a_new_source_is_not_called_silent_before_it_is_known() {
        let mut state = State::default();
        look(&mut state, 0, &heard(0), None);
        assert!(look(&mut state, 2 * 24 * 60, &heard(0), None).is_empty());
        assert!(state.findings.is_empty());
    }
}
