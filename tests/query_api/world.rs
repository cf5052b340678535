//! Something of everything, for an API to answer with.

use std::sync::Arc;

use axum::http::Method;
use lectern::model::{
    AttemptOutcome, DedupKey, DeliveryState, EventId, NewEvent, Secret, SecretDigest, Source,
};
use lectern::podium::{self, EventType, samples};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, message, moment, owed_by, with_body};
use crate::deliveries::attempt;
use crate::quarantine::{keep, rejected};

/// An event of each type, the last of them one that can't be read, all mirrored; deliveries in every state, a replay, a
/// request in quarantine, a source.
pub(crate) async fn fill(api: &Api) {
    let bodies = EventType::ALL.iter().filter_map(samples::body).chain([samples::SEND_TEST, "{"]);
    let events: Vec<NewEvent> = (1..).zip(bodies).map(|(seconds, body)| event(seconds, body)).collect();
    api.accept(&events).await;
    mirror(api, events.len()).await;
    let (done, dead) = (owed_by(message(100), "audit"), owed_by(message(101), "audit"));
    for (event, state, outcome) in [
        (&done, DeliveryState::Done, AttemptOutcome::Done),
        (&dead, DeliveryState::Dead, AttemptOutcome::Failed),
    ] {
        api.accept(std::slice::from_ref(event)).await;
        attempt(api, event, 200, state, outcome).await;
    }
    api.accept(&[owed_by(message(102), "crm"), owed_by(message(103), "crm")]).await;
    api.ask(Method::POST, "/api/v1/replays?handler=other").await;
    api.ask(Method::POST, "/api/v1/replays?handler=another").await;
    keep(api, &[rejected(1), rejected(2)]).await;
    let secret =
        Secret { name: "current".into(), digest: SecretDigest::of("default", "secret"), not_after: None };
    let source = Source { name: "default".into(), allow_unsigned: false, secrets: vec![secret] };
    api.sources.send_replace([source].into());
}

fn event(seconds: i64, body: &'static str) -> NewEvent {
    let mut event = with_body(message(seconds), body);
    let decoded = podium::decode(body.as_bytes());
    let id = EventId::floor(moment(seconds));
    let record = &mut event.record;
    record.event_type = decoded.event_type.to_string();
    record.event_uid = decoded.event_uid;
    record.subject_uid = decoded.keys.subject_uid;
    record.conversation_uid = decoded.keys.conversation_uid;
    record.contact_uid = decoded.keys.contact_uid;
    record.location_uid = decoded.keys.location_uid;
    record.organization_uid = decoded.keys.organization_uid;
    record.occurred_at = decoded.keys.occurred_at;
    record.decode_error = decoded.event.err().map(|error| error.to_string());
    event.dedup_key = DedupKey::of_uid("default", &id.to_string());
    event
}

/// Lets the mirror take up all of them.
async fn mirror(api: &Api, events: usize) {
    let stop = CancellationToken::new();
    let store = Arc::clone(&api.store);
    let signal = store.work_signal();
    let work = tokio::spawn(lectern::mirror::run(store, Arc::new(api.clock.clone()), signal, stop.clone()));
    let mut waiting = Value::from(events);
    while waiting != 0 {
        tokio::task::yield_now().await;
        waiting = api.read("/api/v1/mirror").await["data"]["waiting"].clone();
    }
    stop.cancel();
    work.await.unwrap();
}
