//! An API over a new store, and the events to put into it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
use lectern::clock::ManualClock;
use lectern::handlers::async_trait;
use lectern::model::{
    Content, DedupKey, DeliveryId, EventId, EventRecord, HandlerConfiguration, Header, NewDelivery, NewEvent,
    OnDead, Ordering, QuarantineFilter, Released, Source, TokenDigest,
};
use lectern::query::Release;
use lectern::store::sqlite::SqliteStore;
use lectern::store::{Database, StoreError};
use lectern::{http, query};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) const TOKEN: &str = "configured-token";

pub(crate) struct Api {
    pub(crate) store: Arc<dyn Database>,
    pub(crate) clock: ManualClock,
    pub(crate) stop: CancellationToken,
    pub(crate) tokens: Arc<query::Tokens>,
    pub(crate) sources: watch::Sender<Arc<[Source]>>,
    asked: Arc<Asked>,
    router: Router,
    _folder: Option<tempfile::TempDir>,
}

/// Releases nothing, and remembers what it was asked for.
#[derive(Default)]
struct Asked(Mutex<Vec<QuarantineFilter>>);

#[async_trait]
impl Release for Asked {
    async fn release(&self, filter: &QuarantineFilter) -> Result<Released, StoreError> {
        self.0.lock().unwrap().push(filter.clone());
        Ok(Released { examined: 6, released: 3, duplicates: 2, still_unverified: 1, complete: true })
    }
}

/// Knows one user, and a lead ID of every conversation.
#[async_trait]
impl query::Podium for Asked {
    async fn lead_id(
        &self,
        _location: &str,
        _organization: &str,
        conversation: &str,
    ) -> Result<Option<Box<RawValue>>, query::Unanswered> {
        let lead = serde_json::json!({ "leadId": format!("lead-{conversation}") });
        Ok(RawValue::from_string(lead.to_string()).ok())
    }

    fn name_of(&self, user: &str) -> Option<String> {
        (user == "a-user").then(|| "Ann Lee".to_owned())
    }

    async fn end_sign_in(&self, _state: &str, _code: &str) -> Result<(), String> {
        Err("nobody asked for it <b>".to_owned())
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Api {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("lectern.db")).await.unwrap();
        Self { _folder: Some(folder), ..Self::over(Arc::new(store)) }
    }

    /// One over a store that is there already.
    pub(crate) fn over(store: Arc<dyn Database>) -> Self {
        let clock = ManualClock::at(moment(1000));
        let sources = watch::Sender::new(Arc::default());
        let asked = Arc::<Asked>::default();
        let stop = CancellationToken::new();
        let configured = |name: &str, on_dead| HandlerConfiguration {
            name: name.into(),
            kind: "http".into(),
            events: vec!["message.*".parse().unwrap(), "call.missed".parse().unwrap()],
            locations: vec![],
            concurrency: 8,
            ordering: Ordering::Conversation,
            on_dead,
        };
        let handlers: Arc<[HandlerConfiguration]> =
            [configured("crm", OnDead::Park), configured("audit", OnDead::Continue)].into();
        let tokens = Arc::new(query::Tokens::new(TokenDigest::of(TOKEN)));
        let state = query::State {
            store: store.clone(),
            mirror: store.clone(),
            clock: Arc::new(clock.clone()),
            tokens: tokens.clone(),
            sources: sources.subscribe(),
            handlers: handlers.clone(),
            release: asked.clone(),
            podium: Some(asked.clone()),
            metrics: Arc::new(|| "a_metric 1\n".to_owned()),
            stop: stop.clone(),
            listeners: query::listeners(),
        };
        Self {
            store,
            clock,
            stop,
            tokens,
            sources,
            asked,
            router: http::wrap_internal(query::router(state)),
            _folder: None,
        }
    }

    /// Asks with the configured token.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> Answer {
        self.ask_with(method, path, &[&format!("Bearer {TOKEN}")]).await
    }

    pub(crate) async fn ask_with(&self, method: Method, path: &str, authorization: &[&str]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for value in authorization {
            request = request.header("authorization", *value);
        }
        self.answer(request.body(Body::empty()).unwrap()).await
    }

    /// Asks with the configured token and further headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.answer(with_headers(path, headers)).await
    }

    /// Begins to listen, with the configured token.
    pub(crate) async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Listening {
        let response = self.router.clone().oneshot(with_headers(path, headers)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Listening { body: response.into_body(), read: String::new() }
    }

    /// Posts a body with the configured token.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {TOKEN}"));
        self.answer(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // It has no end: its head is what can be looked at.
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { body };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).await
    }

    /// The JSON of an answer that must be 200.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }

    /// The ids of a list that must be 200.
    pub(crate) async fn ids(&self, path: &str) -> Vec<String> {
        ids(&self.read(path).await)
    }

    /// What was to be released, in order.
    pub(crate) fn releases(&self) -> Vec<QuarantineFilter> {
        self.asked.0.lock().unwrap().clone()
    }

    /// Mirrors all that was accepted.
    pub(crate) async fn mirror(&self) {
        let stop = CancellationToken::new();
        let clock = Arc::new(self.clock.clone());
        let mirroring =
            lectern::mirror::run(self.store.clone(), clock, self.store.work_signal(), stop.clone());
        let done = async {
            while !self.store.unmirrored(1).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(mirroring, done);
    }

    /// Accepts events with these bodies, a second apart, and mirrors them.
    pub(crate) async fn hear(&self, bodies: &[Value]) {
        let events: Vec<NewEvent> = (1..).zip(bodies).map(|(at, body)| of_body(body, at)).collect();
        self.accept(&events).await;
        self.mirror().await;
    }

    pub(crate) async fn accept(&self, events: &[NewEvent]) {
        self.store.accept(events).await.unwrap();
    }
}

fn with_headers(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

/// A stream of events that is being read.
pub(crate) struct Listening {
    body: Body,
    read: String,
}

impl Listening {
    /// The next block of lines; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return Some(block);
            }
            let frame = self.body.frame().await?.unwrap();
            self.read.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is an error of the API's form, and returns its message.
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> String {
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
        let keys: Vec<_> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["code", "message", "moreInfo"]);
        problem["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// So many seconds after the first moment of these tests.
pub(crate) fn moment(seconds: i64) -> Timestamp {
    "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds)
}

/// A message that was received so many seconds after the first moment, without a delivery.
pub(crate) fn message(seconds: i64) -> NewEvent {
    let id = EventId::floor(moment(seconds));
    let body = format!(
        r#"{{"data":{{"uid":"message-{seconds}","body":"Hello"}},"metadata":{{"eventType":"message.received","eventUid":"event-{seconds}","version":"2021.04.01"}}}}"#
    );
    NewEvent {
        record: EventRecord {
            id,
            source: "default".into(),
            event_type: "message.received".into(),
            event_uid: Some(format!("event-{seconds}")),
            subject_uid: Some(format!("message-{seconds}")),
            conversation_uid: Some("conversation".into()),
            contact_uid: None,
            location_uid: Some("location".into()),
            organization_uid: None,
            occurred_at: Some(moment(seconds - 1)),
            received_at: moment(seconds),
            verified_by: Some("current".into()),
            decode_error: None,
            origin: lectern::model::Origin::Webhook,
        },
        dedup_key: DedupKey::of_uid("default", &id.to_string()),
        content: Content {
            headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
            body: body.into(),
        },
        deliveries: vec![],
    }
}

/// An event with this body, that was received so many seconds after the first moment.
pub(crate) fn of_body(body: &Value, seconds: i64) -> NewEvent {
    let text = body.to_string();
    let decoded = lectern::podium::decode(text.as_bytes());
    let event = message(seconds);
    let record = EventRecord {
        // Others may have been received in that second.
        id: EventId::at(moment(seconds)),
        event_type: decoded.event_type.as_str().to_owned(),
        event_uid: decoded.event_uid,
        subject_uid: decoded.keys.subject_uid,
        conversation_uid: decoded.keys.conversation_uid,
        contact_uid: decoded.keys.contact_uid,
        location_uid: decoded.keys.location_uid,
        organization_uid: decoded.keys.organization_uid,
        occurred_at: decoded.keys.occurred_at,
        decode_error: decoded.event.err().map(|error| error.to_string()),
        origin: lectern::model::Origin::Webhook,
        ..event.record
    };
    let dedup_key = DedupKey::of_body("default", text.as_bytes());
    NewEvent { record, dedup_key, content: Content { body: text.into(), ..event.content }, ..event }
}

/// The same event, owed by this handler.
pub(crate) fn owed_by(mut event: NewEvent, handler: &str) -> NewEvent {
    let number = u128::try_from(event.deliveries.len() + 1).unwrap();
    event.deliveries.push(NewDelivery {
        id: DeliveryId::from(Uuid::from_u128(event.record.id.as_uuid().as_u128() + number)),
        handler: handler.into(),
        ordering_key: "conversation".into(),
        opened_at: event.record.received_at,
    });
    event
}

pub(crate) fn with_body(mut event: NewEvent, body: impl Into<Bytes>) -> NewEvent {
    event.content.body = body.into();
    event
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
