//! What has to be done so that what is registered is what should be. Nothing is asked or done here.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::config::WebhookConfig;
use crate::podium::EventType;
use crate::podium::client::Webhook;

/// What has to be done for one configured webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The source that it is for.
    pub source: String,
    /// What has to be done.
    pub step: Step,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is none: it is to be registered.
    Create,
    /// It is there, and differs.
    Change {
        /// The webhook's uid.
        uid: String,
        /// In what it differs.
        changes: Changes,
    },
    /// It is as it should be.
    Keep {
        /// The webhook's uid.
        uid: String,
    },
}

/// In what a webhook differs from what it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Podium sends nothing to it.
    pub disabled: bool,
    /// Where it leads instead.
    pub url: Option<String>,
    /// The types that are not sent and should be, and those that are and should not.
    pub types: Option<(Vec<EventType>, Vec<EventType>)>,
    /// It is signed with another secret, or not at all.
    pub secret: bool,
}

impl Changes {
    /// What differs, a part for each.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let listed = |types: &[EventType]| types.iter().map(EventType::as_str).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if self.disabled {
            parts.push("it is disabled".to_owned());
        }
        if let Some(url) = &self.url {
            parts.push(format!("it leads to {url}"));
        }
        if let Some((missing, surplus)) = &self.types {
            if !missing.is_empty() {
                parts.push(format!("it lacks {}", listed(missing)));
            }
            if !surplus.is_empty() {
                parts.push(format!("it sends {} besides", listed(surplus)));
            }
        }
        if self.secret {
            parts.push("it is signed with another secret".to_owned());
        }
        parts
    }

    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Finds for each wanted webhook the registered one that is meant: the one that it is known to be, else the one of the same
/// owner that leads to the same place. What is left is nobody's here.
pub(super) fn plan(
    wanted: &[WebhookConfig],
    mut found: Vec<Webhook>,
    known: &[(String, String)],
    secret: impl Fn(&str) -> Option<SecretString>,
) -> (Vec<Planned>, Vec<Webhook>) {
    let mut taken: Vec<Option<Webhook>> = wanted
        .iter()
        .map(|wanted| {
            let uid = known.iter().find(|(source, _)| *source == wanted.source).map(|(_, uid)| uid);
            // Its owner can't change: one that has another is to be registered anew.
            take(&mut found, |webhook| {
                uid.is_some() && webhook.uid.as_ref() == uid && is_owned(webhook, wanted)
            })
        })
        .collect();
    for (wanted, taken) in wanted.iter().zip(&mut taken).filter(|(_, taken)| taken.is_none()) {
        *taken = take(&mut found, |webhook| {
            is_owned(webhook, wanted) && webhook.url.as_deref().is_some_and(|url| leads_to(url, wanted))
        });
    }
    let planned = wanted.iter().zip(taken).map(|(wanted, webhook)| {
        let step = match webhook {
            Some(webhook) => step(wanted, webhook, secret(&wanted.source).as_ref()),
            None => Step::Create,
        };
        Planned { source: wanted.source.clone(), step }
    });
    (planned.collect(), found)
}

fn step(wanted: &WebhookConfig, webhook: Webhook, secret: Option<&SecretString>) -> Step {
    let types = wanted.event_types();
    let without = |one: &[EventType], other: &[EventType]| -> Vec<EventType> {
        one.iter().filter(|event_type| !other.contains(event_type)).cloned().collect()
    };
    let (missing, surplus) = (without(&types, &webhook.event_types), without(&webhook.event_types, &types));
    let changes = Changes {
        disabled: webhook.is_disabled(),
        types: (!missing.is_empty() || !surplus.is_empty()).then_some((missing, surplus)),
        // Where Podium does not say what it signs with, it is taken for right.
        secret: match (&webhook.secret, secret) {
            (Some(there), Some(here)) => {
                !bool::from(there.expose_secret().as_bytes().ct_eq(here.expose_secret().as_bytes()))
            }
            // There is none yet to sign with.
            (_, None) => true,
            (None, Some(_)) => false,
        },
        url: webhook.url.filter(|url| !leads_to(url, wanted)),
    };
    let uid = webhook.uid.unwrap_or_default();
    if changes.is_none() { Step::Keep { uid } } else { Step::Change { uid, changes } }
}

fn take(found: &mut Vec<Webhook>, is_it: impl Fn(&Webhook) -> bool) -> Option<Webhook> {
    let at = found.iter().position(is_it)?;
    Some(found.remove(at))
}

fn is_owned(webhook: &Webhook, wanted: &WebhookConfig) -> bool {
    match &wanted.organization {
        Some(organization) => webhook.organization_uid.as_ref() == Some(organization),
        None => webhook.location_uid == wanted.location,
    }
}

fn leads_to(url: &str, wanted: &WebhookConfig) -> bool {
    url.trim_end_matches('/') == wanted.url.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(source: &str, url: &str, location: &str) -> WebhookConfig {
        WebhookConfig {
            source: source.to_owned(),
            url: url.parse().unwrap(),
            location: Some(location.to_owned()),
            organization: None,
            events: vec!["message.*".parse().unwrap()],
        }
    }

    fn registered(json: &str) -> Webhook {
        serde_json::from_str(json).unwrap()
    }

    const MESSAGES: &str = r#"["message.received","message.sent","message.failed"]"#;

    fn secret(_: &str) -> Option<SecretString> {
        Some("right".into())
    }

    #[test]
    fn what_is_not_there_is_registered_and_what_is_right_is_kept() {
        let one = registered(&format!(
            r#"{{"uid":"w1","url":"https://a.example/webhooks/podium","locationUid":"l1","secret":"right",
                "disabled":false,"eventTypes":{MESSAGES}}}"#
        ));
        let other = registered(r#"{"uid":"w9","url":"https://b.example/","locationUid":"l1"}"#);
        let north = wanted("north", "https://a.example/webhooks/podium", "l1");
        let south = wanted("south", "https://a.example/webhooks/podium/south", "l2");
        let (planned, left) = plan(&[north, south], vec![other, one], &[], secret);
        assert_eq!(planned[0].step, Step::Keep { uid: "w1".into() });
        assert_eq!(planned[1].step, Step::Create);
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn whatever_differs_is_said() {
        let webhook = registered(
            r#"{"uid":"w1","url":"https://old.example/","locationUid":"l1","secret":"wrong","disabled":true,
                "eventTypes":["message.sent","message.failed","review.created"]}"#,
        );
        let north = wanted("north", "https://a.example/webhooks/podium", "l1");
        let known = [("north".to_owned(), "w1".to_owned())];
        let (planned, left) = plan(&[north], vec![webhook], &known, secret);
        assert!(left.is_empty());
        let Step::Change { uid, changes } = &planned[0].step else { unreachable!("{planned:?}") };
        assert_eq!(uid, "w1");
        assert_eq!(
            changes.parts(),
            [
                "it is disabled",
                "it leads to https://old.example/",
                "it lacks message.received",
                "it sends review.created besides",
                "it is signed with another secret",
            ]
        );
    }

    #[test]
    fn a_webhook_of_another_owner_is_another_webhook() {
        let webhook = registered(r#"{"uid":"w1","url":"https://a.example/","locationUid":"l9"}"#);
        let known = [("north".to_owned(), "w1".to_owned())];
        let (planned, left) =
            plan(&[wanted("north", "https://a.example/", "l1")], vec![webhook], &known, secret);
        assert_eq!(planned[0].step, Step::Create);
        assert_eq!(left.len(), 1);
    }
}
