//! Delivering events as Podium does: one after another, signed, tried again and again, and given up with the whole webhook.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep, timeout};

use super::world::{World, now};
use crate::podium::{SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER};

/// An event on its way to one webhook.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) body: String,
    pub(super) since: Instant,
}

/// Delivers what waits for the webhook, until it is gone.
pub(super) async fn deliver(world: Arc<World>, uid: String) {
    let mut tried = 0;
    loop {
        let Some((news, changed, next)) = look(&world, &uid) else { return };
        let Some((url, secret, body)) = next else {
            tokio::select! {
                () = news.notified() => {}
                () = world.stop.cancelled() => return,
            }
            continue;
        };
        let taken = post(&world, &url, secret.as_deref(), &body).await;
        if taken {
            tried = 0;
            if let Some(hook) = world.state().webhooks.get_mut(&uid) {
                hook.waiting.pop_front();
            }
            continue;
        }
        if tried >= world.settings.tries {
            tried = 0;
            if let Some(hook) = world.state().webhooks.get_mut(&uid) {
                (hook.is_disabled, hook.updated_at) = (true, now());
            }
            tracing::info!(uid, "the webhook is disabled: an event was not taken");
            continue;
        }
        tried += 1;
        // Everything else waits behind it.
        tokio::select! {
            () = sleep(pause(&world)) => {}
            // It may have been changed, and then it is tried at once.
            () = changed.notified() => {}
            () = world.stop.cancelled() => return,
        }
    }
}

type Next = Option<(String, Option<String>, String)>;
type Word = Arc<tokio::sync::Notify>;

/// What is to be delivered next: nothing while the webhook is disabled. None when it is gone.
fn look(world: &World, uid: &str) -> Option<(Word, Word, Next)> {
    let mut state = world.state();
    let hook = state.webhooks.get_mut(uid)?;
    while hook.waiting.front().is_some_and(|first| first.since.elapsed() > world.settings.keeps) {
        hook.waiting.pop_front();
    }
    let secret = hook.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    let first = hook.waiting.front().filter(|_| !hook.is_disabled);
    let next = first.map(|first| (hook.url.clone(), secret, first.body.clone()));
    Some((Arc::clone(&hook.news), Arc::clone(&hook.changed), next))
}

async fn post(world: &World, url: &str, secret: Option<&str>, body: &str) -> bool {
    let mut request = world.http.post(url).header("content-type", "application/json").body(body.to_owned());
    if let Some(secret) = secret {
        let timestamp = now().as_millisecond().to_string();
        let signature = SigningKey::new(secret).sign(timestamp.as_bytes(), body.as_bytes()).to_string();
        request = request.header(TIMESTAMP_HEADER, timestamp).header(SIGNATURE_HEADER, signature);
    }
    let answered = timeout(world.settings.patience, request.send()).await;
    matches!(answered, Ok(Ok(response)) if response.status() == StatusCode::OK)
}

fn pause(world: &World) -> Duration {
    world.settings.over / world.settings.tries.max(1)
}
