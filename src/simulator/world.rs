//! What there is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;
use super::deliver::Delivery;
use crate::clock::{Clock, SystemClock};

/// Everything, shared by whoever serves it.
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) http: reqwest::Client,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) organization: String,
    pub(super) location: String,
    /// Lists of things, by the name that they have in a path.
    pub(super) lists: BTreeMap<&'static str, Vec<Value>>,
    /// Messages, by conversation.
    pub(super) messages: BTreeMap<String, Vec<Value>>,
    pub(super) webhooks: BTreeMap<String, Hook>,
    /// Codes that were given and not used.
    pub(super) codes: BTreeSet<String>,
    /// Access tokens with their ends, and refresh tokens.
    pub(super) access: BTreeMap<String, Instant>,
    pub(super) refresh: BTreeSet<String>,
    /// When requests were made within the last minute.
    pub(super) asked: VecDeque<Instant>,
    /// How many requests come that are answered 503.
    pub(super) failing: u32,
    made: u64,
}

/// A registered webhook, with what waits for it.
pub(super) struct Hook {
    pub(super) url: String,
    pub(super) types: Vec<String>,
    pub(super) secret: Option<SecretString>,
    pub(super) location: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) is_disabled: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) waiting: VecDeque<Delivery>,
    pub(super) news: Arc<Notify>,
    /// It was changed, or is gone.
    pub(super) changed: Arc<Notify>,
}

impl World {
    pub(super) fn new(settings: Settings, tasks: TaskTracker, stop: CancellationToken) -> Self {
        // An error says that the process has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent("podium-simulated/1")
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap_or_default();
        let world = Self { settings, http, tasks, stop, state: Mutex::default() };
        world.state().people();
        if let Some(token) = world.settings.access_token.clone() {
            let ends = Instant::now() + world.settings.token_lives;
            world.state().access.insert(token, ends);
        }
        world
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic in a handler leaves a world that is good enough to go on with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A uid, unlike any other: the same ones in every run, so that what is seen once is seen again.
    pub(super) fn uid(&mut self) -> String {
        self.made += 1;
        uuid::Builder::from_custom_bytes(
            Sha256::digest(self.made.to_be_bytes())[..16].try_into().unwrap_or_default(),
        )
        .into_uuid()
        .to_string()
    }

    /// The business, its one location, and those who work there.
    fn people(&mut self) {
        let now = now();
        (self.organization, self.location) = (self.uid(), self.uid());
        let (organization, location) = (self.organization.clone(), self.location.clone());
        let site = json!({
            "uid": location, "organizationUid": organization, "name": "Main Street", "displayName": "Walnut & Co.",
            "address": "1 Main Street, Provo, UT", "podiumPhoneNumber": "+18015550100", "archived": false,
            "createdAt": now, "updatedAt": now,
        });
        self.lists.insert("locations", vec![site]);
        let business = json!({ "uid": organization, "businessName": "Walnut & Co.", "archived": false, "createdAt": now });
        self.lists.insert("organizations", vec![business]);
        let user = |uid: String, first: &str, last: &str| {
            json!({
                "uid": uid, "firstName": first, "lastName": last, "role": "admin", "archived": false,
                "email": format!("{}@walnut.example", first.to_lowercase()), "phone": null,
                "locations": [{ "uid": location }], "createdAt": now, "updatedAt": now,
            })
        };
        let users = vec![user(self.uid(), "Ann", "Lee"), user(self.uid(), "Ben", "Ortiz")];
        self.lists.insert("users", users);
    }
}

/// The present moment. What a simulated Podium says of time is the machine's own.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}
