//! What Podium can be asked.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::accounts::{Organization, Site, User};
use super::answer::Answer;
use super::conversation::Thread;
use super::credential::Credential;
use super::error::ClientError;
use super::item::Item;
use super::limiter::Limiter;
use super::pages::Pages;
use super::request::{Asked, Asker};
use super::scope::scope_of;
use super::webhook::{NewWebhook, Webhook, WebhookChange};
use crate::podium::{Call, Contact, EventType, Invoice, Message, Review, ReviewInvite, ReviewResponse};

/// The most items that Podium puts on a page.
const PAGE: &str = "100";

/// Podium's REST API, asked by one account.
pub struct Client {
    base: Url,
    asker: Asker,
}

impl Client {
    /// The API at `base`, such as `https://api.podium.com`.
    ///
    /// # Errors
    /// When HTTPS is not possible on this machine.
    pub fn new(base: Url, credential: Box<dyn Credential>) -> Result<Self, ClientError> {
        // An error says that the process has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(std::time::Duration::from_secs(10));
        // A proxy for the outside does not lead back to this machine.
        let is_near = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let http = if is_near { http.no_proxy() } else { http };
        let http = http.build().map_err(|error| ClientError::Unreachable(error.to_string()))?;
        let asker = Asker { http, credential, limiter: Limiter::default() };
        Ok(Self { base, asker })
    }

    /// The webhooks of the user who signed in, whoever registered them.
    ///
    /// # Errors
    /// When Podium does not give them.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, ClientError> {
        let answer = self.get(self.url(&["webhooks"]), None).await?;
        let items = answer.items().map_err(|error| unlike(&error))?;
        items.iter().map(|item| serde_json::from_str(item.get()).map_err(|error| unlike(&error))).collect()
    }

    /// Registers a webhook. It is not repeated when it is not known what became of it: a second would send everything twice.
    ///
    /// # Errors
    /// When Podium does not do it.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook, ClientError> {
        let scope = lacking_scope(&new.event_types);
        self.send(Method::POST, self.url(&["webhooks"]), new, scope).await
    }

    /// One webhook.
    ///
    /// # Errors
    /// When Podium does not give it.
    pub async fn webhook(&self, uid: &str) -> Result<Webhook, ClientError> {
        one(&self.get(self.url(&["webhooks", uid]), None).await?)
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// When Podium does not do it.
    pub async fn update_webhook(&self, uid: &str, change: &WebhookChange) -> Result<Webhook, ClientError> {
        let scope = change.event_types.as_deref().and_then(lacking_scope);
        self.send(Method::PUT, self.url(&["webhooks", uid]), change, scope).await
    }

    /// Takes a webhook away. One that is not there is as good.
    ///
    /// # Errors
    /// When Podium does not do it.
    pub async fn delete_webhook(&self, uid: &str) -> Result<(), ClientError> {
        let asked =
            Asked { method: Method::DELETE, url: self.url(&["webhooks", uid]), body: None, scope: None };
        match self.asker.ask(&asked).await {
            Ok(_) | Err(ClientError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The lead ID of a conversation, as Podium sends it; `None` where Podium does not offer it.
    ///
    /// # Errors
    /// When Podium does not answer.
    pub async fn lead_id(
        &self,
        location: &str,
        organization: &str,
        conversation: &str,
    ) -> Result<Option<String>, ClientError> {
        let url = self.url(&["conversations", location, organization, conversation]);
        match self.get(url, Some("read_messages")).await {
            Ok(answer) => Ok(Some(answer.data.get().to_owned())),
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everybody who belongs to a location that can be seen.
    #[must_use]
    pub fn users(&self) -> Pages<'_, User> {
        self.list(&["users"], &[], "read_users")
    }

    /// One user.
    ///
    /// # Errors
    /// When Podium does not give it.
    pub async fn user(&self, uid: &str) -> Result<Item<User>, ClientError> {
        self.item(&["users", uid], "read_users").await
    }

    /// One organization.
    ///
    /// # Errors
    /// When Podium does not give it.
    pub async fn organization(&self, uid: &str) -> Result<Item<Organization>, ClientError> {
        self.item(&["organizations", uid], "read_organizations").await
    }

    /// The locations that can be seen.
    #[must_use]
    pub fn locations(&self) -> Pages<'_, Site> {
        self.list(&["locations"], &[], "read_locations")
    }

    /// Conversations, of one location or of all that can be seen.
    #[must_use]
    pub fn conversations(&self, location: Option<&str>) -> Pages<'_, Thread> {
        let location = location.map(|uid| ("locationUid", uid.to_owned()));
        self.list(&["conversations"], location.as_slice(), "read_messages")
    }

    /// The messages of a conversation.
    #[must_use]
    pub fn messages(&self, conversation: &str) -> Pages<'_, Message> {
        // It takes no limit.
        Pages::new(self, self.url(&["conversations", conversation, "messages"]), "read_messages")
    }

    /// Contacts, those that were changed after a moment, or all.
    #[must_use]
    pub fn contacts(&self, updated_after: Option<Timestamp>) -> Pages<'_, Contact> {
        let after = updated_after.map(|at| ("updated_at", whole_seconds(at)));
        self.list(&["contacts"], after.as_slice(), "read_contacts")
    }

    /// Reviews that were changed at a moment or later.
    #[must_use]
    pub fn reviews(&self, since: Option<Timestamp>) -> Pages<'_, Review> {
        let since = since.map(|at| ("updatedAt[gte]", whole_seconds(at)));
        self.list(&["reviews"], since.as_slice(), "read_reviews")
    }

    /// The responses to a review.
    #[must_use]
    pub fn review_responses(&self, review: &str) -> Pages<'_, ReviewResponse> {
        Pages::new(self, self.url(&["reviews", review, "responses"]), "read_reviews")
    }

    /// Review invites that were changed at a moment or later.
    #[must_use]
    pub fn review_invites(&self, since: Option<Timestamp>) -> Pages<'_, ReviewInvite> {
        let since = since.map(|at| ("updatedAt[gte]", whole_seconds(at)));
        self.list(&["reviews", "invites"], since.as_slice(), "read_reviews")
    }

    /// Invoices that were made at a moment or later, or that `what` happened to.
    #[must_use]
    pub fn invoices(&self, since: Option<(InvoiceDate, Timestamp)>) -> Pages<'_, Invoice> {
        let since = since.map(|(what, at)| (what.as_str(), whole_seconds(at)));
        self.list(&["invoices"], since.as_slice(), "read_payments")
    }

    /// One call. Calls can't be listed.
    ///
    /// # Errors
    /// When Podium does not give it.
    pub async fn call(&self, uid: &str) -> Result<Item<Call>, ClientError> {
        self.item(&["calls", uid], "read_phones").await
    }

    pub(super) async fn get(&self, url: Url, scope: Option<&'static str>) -> Result<Answer, ClientError> {
        let scope = scope.map(Cow::Borrowed);
        self.asker.ask(&Asked { method: Method::GET, url, body: None, scope }).await
    }

    async fn item<T>(&self, path: &[&str], scope: &'static str) -> Result<Item<T>, ClientError> {
        Ok(Item::new(self.get(self.url(path), Some(scope)).await?.data))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &impl Serialize,
        scope: Option<Cow<'static, str>>,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_string(body).map_err(|error| ClientError::Unreadable(error.to_string()))?;
        let body = Some(SecretString::from(body));
        one(&self.asker.ask(&Asked { method, url, body, scope }).await?)
    }

    fn list<T>(&self, path: &[&str], params: &[(&str, String)], scope: &'static str) -> Pages<'_, T> {
        let mut url = self.url(path);
        url.query_pairs_mut().append_pair("limit", PAGE).extend_pairs(params);
        Pages::new(self, url, scope)
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Only an address that can have no path has no parts, and no configuration has such.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push("v4").extend(path);
        }
        url
    }
}

/// What a list of invoices is narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceDate {
    /// When it was made.
    Created,
    /// When a payment was made.
    Paid,
    /// When a refund was made.
    Refunded,
}

impl InvoiceDate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "dateCreated",
            Self::Paid => "datePaid",
            Self::Refunded => "dateRefunded",
        }
    }
}

fn one<T: DeserializeOwned>(answer: &Answer) -> Result<T, ClientError> {
    serde_json::from_str(answer.data.get()).map_err(|error| unlike(&error))
}

/// Without the error's own words: they may repeat a secret.
fn unlike(error: &serde_json::Error) -> ClientError {
    ClientError::Unreadable(format!("its `data` is not what was asked for, at column {}", error.column()))
}

/// The scopes that events of these types need: Podium does not say which of them is lacking.
fn lacking_scope(types: &[EventType]) -> Option<Cow<'static, str>> {
    let scopes: BTreeSet<_> = types.iter().filter_map(scope_of).collect();
    let scopes: Vec<_> = scopes.into_iter().collect();
    (!scopes.is_empty()).then(|| scopes.join("` or `").into())
}

fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}
