//! The document against the service: whatever is asked of an operation, the answer is one that the document describes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern::store::postgres::PostgresStore;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::api::{Api, TOKEN};
use crate::document::{Document, Operation, Parameter, names};
use crate::postgres::fresh_postgres_database;
use crate::quarantine::{keep, rejected};
use crate::world::fill;

/// How often something is asked, unless `PROPTEST_CASES` has it more often; and how long an answer may take: much longer than it
/// does.
const CASES: u32 = 1500;
const WITHIN: Duration = Duration::from_secs(10);

/// What is asked of an operation, chosen before it is known which one it is.
#[derive(Clone, Debug)]
struct Asked {
    operation: Index,
    /// Another method than that of the operation.
    method: Option<&'static str>,
    /// What stands in the path: one that is there, or something else, as it is written in a URI.
    about: Given,
    query: Vec<(Name, Given)>,
    body: Option<Told>,
    token: Token,
    if_none_match: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Name {
    /// A parameter of the operation.
    Known(Index),
    Unknown(String),
}

#[derive(Clone, Debug)]
enum Given {
    /// As the document has it.
    Proper(Index),
    /// As it is written in a URI.
    Odd(String),
}

#[derive(Clone, Debug)]
enum Told {
    /// The parameters, as an object.
    Object(Vec<(Name, Value)>),
    Bytes(Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Valid,
    Wrong,
    None,
}

fn asked() -> impl Strategy<Value = Asked> {
    let token = prop_oneof![30 => Just(Token::Valid), 1 => Just(Token::Wrong), 1 => Just(Token::None)];
    let other = select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]);
    let method = prop_oneof![6 => Just(None), 1 => other.prop_map(Some)];
    let query = vec((name(), given()), 0..4);
    let body = option::weighted(0.3, told());
    let if_none_match = option::weighted(0.1, select(vec!["*", "W/\"0\"", "\"", ""]));
    (any::<Index>(), method, given(), query, body, token, if_none_match).prop_map(
        |(operation, method, about, query, body, token, if_none_match)| Asked {
            operation,
            method,
            about,
            query,
            body,
            token,
            if_none_match,
        },
    )
}

fn name() -> impl Strategy<Value = Name> {
    let unknown = prop_oneof!["[a-zA-Z]{0,12}", odd()].prop_map(Name::Unknown);
    prop_oneof![8 => any::<Index>().prop_map(Name::Known), 1 => unknown]
}

fn given() -> impl Strategy<Value = Given> {
    prop_oneof![3 => any::<Index>().prop_map(Given::Proper), 2 => odd().prop_map(Given::Odd)]
}

/// What nobody asks in good faith.
fn odd() -> impl Strategy<Value = String> {
    let known = [
        "",
        "%00",
        "%ff",
        "%zz",
        "%",
        "%c3%28",
        "..",
        "%2f",
        "%2e%2e%2f",
        "+",
        "%0d%0a",
        "null",
        "true",
        "0",
        "-1",
        "99999999999999999999",
        "1e309",
        "NaN",
        "0000-00-00T00:00:00Z",
        "-009999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "2026-11-22T09:00:00+99:99",
        "%f0%9f%92%a9",
        "*",
        "***",
        "%25",
        "eyJ9",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "'%20or%201=1--",
        "%22",
    ];
    let text = any::<String>().prop_map(|text| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string());
    let bytes = vec(any::<u8>(), 0..20)
        .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>());
    prop_oneof![
        6 => select(known.map(str::to_owned).to_vec()),
        2 => text,
        2 => bytes,
        1 => (1_usize..5000).prop_map(|length| "9".repeat(length)),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["crm", "message.*", "dead", "2026-11-22T09:00:00Z", "told them"]).prop_map(Value::from),
        Just(Value::Array(vec![])),
        Just(json!({ "a": [{}] })),
    ];
    let known =
        ["", "{", "[]", "null", "7", "\"\"", "{\"note\":\"\\ud800\"}", "{\"a\":1,\"a\":2}", "\u{feff}{}"];
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let known: Vec<Vec<u8>> =
        known.map(|text| text.as_bytes().to_vec()).into_iter().chain([deep.into_bytes()]).collect();
    prop_oneof![
        4 => vec((name(), value), 0..4).prop_map(Told::Object),
        2 => select(known).prop_map(Told::Bytes),
        1 => any::<Vec<u8>>().prop_map(Told::Bytes),
    ]
}

/// What is there to be asked for.
struct World {
    api: Api,
    document: Document,
    operations: Vec<Operation>,
    /// What things are called, by the list that has them.
    names: HashMap<String, Vec<String>>,
    /// A cursor of each list.
    cursors: HashMap<String, String>,
    /// The statuses that each operation has answered with.
    seen: RefCell<BTreeMap<String, BTreeSet<u16>>>,
}

impl World {
    async fn new(api: Api) -> Self {
        fill(&api).await;
        let document = Document::of(&api).await;
        let operations = document.operations();
        let names = names(&api, &operations).await;
        let mut cursors = HashMap::new();
        for operation in &operations {
            if !operation.path.contains('{') && operation.parameters().iter().any(|one| one.name == "limit") {
                let page = api.read(&format!("{}?limit=1", operation.path)).await;
                let cursor = page["metadata"]["nextCursor"].as_str().unwrap_or("none");
                cursors.insert(operation.path.clone(), cursor.to_owned());
            }
        }
        Self { api, document, operations, names, cursors, seen: RefCell::default() }
    }

    /// Asks, and says what is wrong with the answer.
    async fn ask(&self, asked: &Asked) -> Result<(), String> {
        let operation = asked.operation.get(&self.operations);
        if operation.path.contains("quarantine") {
            // It may have been emptied.
            keep(&self.api, &[rejected(1), rejected(2)]).await;
        }
        let path = self.path(operation, asked);
        let method = match asked.method {
            Some(method) => method.parse().unwrap(),
            None => operation.method.clone(),
        };
        let Some(request) = self.request(operation, asked, &method, &path) else { return Ok(()) };
        let told = format!("{method} {path} {:?}", asked.body);
        let answer =
            timeout(WITHIN, self.api.answer(request)).await.map_err(|_| format!("{told}: no answer"))?;
        let name = format!("{method} {}", operation.path);
        self.seen.borrow_mut().entry(name).or_default().insert(answer.status.as_u16());
        let is_head = method == Method::HEAD;
        let same_path = |one: &&Operation| one.path == operation.path;
        let reached = if is_head { Method::GET } else { method };
        // A path may lead elsewhere with another word in it, or nowhere with none.
        let problem = |code: &str| !is_head && answer.text().contains(&format!("\"code\":\"{code}\""));
        let outcome = match self.operations.iter().filter(same_path).find(|one| one.method == reached) {
            _ if answer.status == 404 && path.contains('{') => Err("a hole is left in the path".to_owned()),
            _ if answer.status == 404 && problem("route_not_found") => Ok(()),
            Some(operation) => self.document.describes(operation, &path, is_head, &answer),
            None if matches!(answer.status.as_u16(), 401 | 429) => Ok(()),
            None if answer.status == 405 && answer.headers.contains_key("allow") => Ok(()),
            None => Err(format!("{} instead of 405", answer.status)),
        };
        outcome.map_err(|error| format!("{told}: {error}: {}", String::from_utf8_lossy(&answer.body)))
    }

    fn path(&self, operation: &Operation, asked: &Asked) -> String {
        let mut path = operation.path.clone();
        if let Some((list, name)) = operation.about() {
            let one = match &asked.about {
                Given::Proper(index) => index.get(&self.names[list]).clone(),
                Given::Odd(text) => text.clone(),
            };
            path = path.replace(&format!("{{{name}}}"), &one);
        }
        let parameters = parameters(operation);
        let query = asked.query.iter().map(|(name, given)| {
            let (name, parameter) = match name {
                Name::Known(index) if !parameters.is_empty() => {
                    let parameter = index.get(&parameters);
                    (parameter.name.clone(), Some(parameter))
                }
                Name::Known(_) => ("pageSize".to_owned(), None),
                Name::Unknown(name) => (name.clone(), None),
            };
            format!("{name}={}", self.value(operation, parameter, given))
        });
        let query: Vec<String> = query.collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn value(&self, operation: &Operation, parameter: Option<&Parameter>, given: &Given) -> String {
        match (given, parameter) {
            (Given::Odd(text), _) => text.clone(),
            (Given::Proper(index), Some(parameter)) if parameter.name == "cursor" && index.index(4) > 0 => {
                forged(&operation.path, *index)
            }
            (Given::Proper(_), Some(parameter)) if parameter.name == "cursor" => {
                self.cursors.get(&operation.path).cloned().unwrap_or_default()
            }
            (Given::Proper(index), Some(parameter)) => proper(&parameter.schema, *index),
            (Given::Proper(_), None) => "1".to_owned(),
        }
    }

    /// The request; none when it is no URI, which is refused before there is one.
    fn request(
        &self,
        operation: &Operation,
        asked: &Asked,
        method: &Method,
        path: &str,
    ) -> Option<Request<Body>> {
        let uri: Uri = path.parse().ok()?;
        let mut request = Request::builder().method(method).uri(uri);
        match asked.token {
            Token::Valid => request = request.header("authorization", format!("Bearer {TOKEN}")),
            Token::Wrong => request = request.header("authorization", "Bearer wrong"),
            Token::None => {}
        }
        if let Some(tag) = asked.if_none_match {
            request = request.header("if-none-match", tag);
        }
        let parameters = parameters(operation);
        let body = match &asked.body {
            None => Body::empty(),
            Some(Told::Bytes(bytes)) => Body::from(bytes.clone()),
            Some(Told::Object(fields)) => {
                let fields = fields.iter().map(|(name, value)| match name {
                    Name::Known(index) if !parameters.is_empty() => {
                        (index.get(&parameters).name.clone(), value.clone())
                    }
                    Name::Known(_) => ("note".to_owned(), value.clone()),
                    Name::Unknown(name) => (name.clone(), value.clone()),
                });
                Body::from(Value::Object(fields.collect()).to_string())
            }
        };
        Some(request.body(body).unwrap())
    }
}

fn parameters(operation: &Operation) -> Vec<Parameter> {
    operation.parameters().into_iter().filter(|parameter| parameter.place == "query").collect()
}

/// A cursor that nobody was given, of a list's own path: anybody could write one.
fn forged(list: &str, index: Index) -> String {
    let below = [
        json!({ "at": "2026-11-22T09:00:00Z", "uid": "a\0" }),
        json!({ "at": "-009999-01-02T01:59:59Z", "uid": "a" }),
        json!({ "at": "9999-12-30T22:00:00.999999999Z", "uid": "\u{fffd}" }),
        json!({ "at": "2026-11-22T09:00:00Z", "uid": "" }),
        json!({ "at": "2026-11-22T09:00:00Z", "uid": "a".repeat(5000) }),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        json!(null),
    ];
    let asked = [
        json!([]),
        json!([["limit", "1"]]),
        json!([["limit", "0"]]),
        json!([["q", "\0"]]),
        json!([["a", "b"]]),
    ];
    let cursor = json!({ "list": list, "below": index.get(&below), "asked": Index::get(&index, &asked) });
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

/// A value that the schema allows.
fn proper(schema: &Value, index: Index) -> String {
    if let Some(words) = schema["enum"].as_array() {
        return index.get(words).as_str().unwrap().to_owned();
    }
    let one_of = |values: &[&str]| (*index.get(values)).to_owned();
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("boolean"), _) => one_of(&["true", "false"]),
        (Some("integer"), _) => {
            let of = |word: &str| schema[word].as_f64().unwrap();
            one_of(&[&of("minimum").to_string(), &of("maximum").to_string()])
        }
        (_, Some("date-time")) => one_of(&[
            "2026-11-22T09:00:00Z",
            "1970-01-01T00:00:00Z",
            "2027-01-01T00:00:00%2B02:00",
            "9999-12-30T22:00:00Z",
        ]),
        (_, Some("uuid")) => "01a2027b-da68-7000-8000-5d0c3e1fa9b2".to_owned(),
        _ => one_of(&[
            "message.*",
            "*",
            "crm",
            "hi",
            "sms",
            "0",
            "default",
            "sent",
            "a%20b",
            "%c3%a9",
            "audit",
        ]),
    }
}

#[test]
fn whatever_is_asked_the_answer_is_one_that_the_document_describes() {
    let runtime = runtime();
    let api = runtime.block_on(Api::new());
    run(&runtime, api);
}

#[test]
fn whatever_is_asked_on_postgres_the_answer_is_one_that_the_document_describes() {
    let runtime = runtime();
    let store = runtime.block_on(async {
        let database = fresh_postgres_database().await;
        PostgresStore::connect(&database, 4).await.unwrap()
    });
    run(&runtime, Api::over(Arc::new(store)));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn run(runtime: &Runtime, api: Api) {
    let world = runtime.block_on(World::new(api));
    let config = Config::default();
    let mut runner = TestRunner::new(Config { cases: config.cases.max(CASES), ..config });
    let outcome =
        runner.run(&asked(), |asked| runtime.block_on(world.ask(&asked)).map_err(TestCaseError::fail));
    outcome.unwrap();
    // A run that only meets refusals would prove little.
    let seen = world.seen.borrow();
    let of = |operation: &&Operation| seen.get(&format!("{} {}", operation.method, operation.path));
    let succeeded = |statuses: &BTreeSet<u16>| statuses.iter().any(|status| (200..300).contains(status));
    let reached = world.operations.iter().filter(|operation| of(operation).is_some_and(succeeded)).count();
    assert!(reached * 10 >= world.operations.len() * 9, "{seen:#?}");
}
