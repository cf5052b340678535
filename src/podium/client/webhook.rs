//! Webhooks, as they are registered.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::podium::{EventType, time};

/// A registered webhook. Podium sends its secret back with every answer: it is never shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Webhook {
    /// The webhook's uid.
    pub uid: Option<String>,
    /// Where events are sent.
    pub url: Option<String>,
    /// The types of events that are sent.
    pub event_types: Vec<EventType>,
    /// Whether nothing is sent any more: Podium gave up, or somebody stopped it.
    pub disabled: Option<bool>,
    /// The location whose events are sent, unless it is an organization's.
    pub location_uid: Option<String>,
    /// The organization whose events are sent, of all its locations.
    pub organization_uid: Option<String>,
    /// What its requests are signed with.
    pub secret: Option<SecretString>,
    /// When it was registered.
    #[serde(deserialize_with = "time::optional")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(deserialize_with = "time::optional")]
    pub updated_at: Option<Timestamp>,
}

impl Webhook {
    /// Whether Podium sends to it. What is not said is taken for well.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled.unwrap_or_default()
    }
}

/// A webhook to be registered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewWebhook {
    /// Where events are to be sent.
    pub url: String,
    /// The types of events that are to be sent; at least one.
    pub event_types: Vec<EventType>,
    /// What its requests are to be signed with.
    #[serde(serialize_with = "exposed")]
    pub secret: SecretString,
    /// The location whose events are to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_uid: Option<String>,
    /// The organization whose events are to be sent; of both, Podium takes this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_uid: Option<String>,
}

/// What is to become of a webhook; what is not said stays. Its location or organization can't change.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookChange {
    /// Where events are to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The types of events that are to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<EventType>>,
    /// Whether nothing is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// What its requests are to be signed with.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_exposed")]
    pub secret: Option<SecretString>,
}

impl WebhookChange {
    /// Sends again, where Podium has stopped.
    #[must_use]
    pub fn enabled() -> Self {
        Self { disabled: Some(false), ..Self::default() }
    }
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn maybe_exposed<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_podium_and_nowhere_else() {
        let change = WebhookChange { secret: Some("hunter2".into()), ..WebhookChange::enabled() };
        assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"disabled":false,"secret":"hunter2"}"#);
        assert!(!format!("{change:?}").contains("hunter2"));
        let webhook: Webhook = serde_json::from_str(r#"{"uid":"w","secret":"hunter2","new":[]}"#).unwrap();
        assert!(!format!("{webhook:?}").contains("hunter2"));
        assert!(!webhook.is_disabled());
    }
}
