//! Podium's REST API, as far as a receiver has use for it: registering webhooks, and reading back what they tell of.
//!
//! A [`Client`] asks with the token that a [`Credential`] gives it, never more often than Podium allows, and repeats what
//! failed only where a repeat is harmless. Lists come as [`Pages`], one after another. What is in them is an [`Item`]: read as
//! what it should be, or taken as it came, byte for byte.

mod accounts;
mod answer;
mod conversation;
mod credential;
mod error;
mod item;
mod limiter;
mod oauth;
mod operations;
mod pages;
mod request;
mod scope;
mod webhook;

pub use accounts::{Organization, Site, User};
pub use conversation::Thread;
pub use credential::{Credential, CredentialError, FixedToken};
pub use error::ClientError;
pub use item::Item;
pub use oauth::{AuthorizationServer, OAuth, OAuthError, Tokens};
pub use operations::{Client, InvoiceDate};
pub use pages::Pages;
pub use scope::{READING, scope_of};
pub use webhook::{NewWebhook, Webhook, WebhookChange};
