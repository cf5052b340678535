//! Something of everything, for an API to answer with.

use axum::http::Method;
use lectern::model::{AttemptOutcome, DeliveryState, Secret, SecretDigest, Source};
use lectern::podium::{EventType, samples};
use serde_json::Value;

use crate::api::{Api, message, owed_by};
use crate::deliveries::attempt;
use crate::quarantine::{keep, rejected};

/// An event of each type and one that can't be read, all mirrored; deliveries in every state, replays, requests in
/// quarantine, a source.
pub(crate) async fn fill(api: &Api) {
    let bodies = EventType::ALL.iter().filter_map(samples::body).chain([samples::SEND_TEST]);
    let mut bodies: Vec<Value> = bodies.map(|body| serde_json::from_str(body).unwrap()).collect();
    for event_type in ["message.received", "call.missed"] {
        bodies.push(serde_json::json!({ "data": [], "metadata": { "eventType": event_type } }));
    }
    api.hear(&bodies).await;
    let (done, dead) = (owed_by(message(100), "audit"), owed_by(message(101), "audit"));
    for (event, state, outcome) in [
        (&done, DeliveryState::Done, AttemptOutcome::Done),
        (&dead, DeliveryState::Dead, AttemptOutcome::Failed),
    ] {
        api.accept(std::slice::from_ref(event)).await;
        attempt(api, event, 200, state, outcome).await;
    }
    api.accept(&[owed_by(message(102), "crm"), owed_by(message(103), "crm")]).await;
    for handler in ["other", "another"] {
        api.ask(Method::POST, &format!("/api/v1/replays?handler={handler}")).await;
    }
    keep(api, &[rejected(1), rejected(2)]).await;
    let digest = SecretDigest::of("default", "secret");
    let secret = Secret { name: "current".into(), digest, not_after: None };
    let source = Source { name: "default".into(), allow_unsigned: false, secrets: vec![secret] };
    api.sources.send_replace([source].into());
}
