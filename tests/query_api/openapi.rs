//! The document of the API, and the page that shows it.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use crate::api::{Api, TOKEN};
use crate::document::{Document, names};
use crate::world::fill;

const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE];

#[tokio::test]
async fn every_operation_of_the_document_is_there_and_no_path_takes_another_method() {
    let api = Api::new().await;
    let operations = Document::of(&api).await.operations();
    assert!(operations.len() > 50, "{}", operations.len());
    let paths: BTreeSet<&str> = operations.iter().map(|operation| operation.path.as_str()).collect();
    for path in paths {
        let described = |method: &Method| {
            operations.iter().any(|operation| operation.path == path && operation.method == method)
        };
        let dummy = path.replace("{id}", "1").replace("{uid}", "1").replace("{name}", "1");
        for method in METHODS {
            let answer = api.ask(method.clone(), &dummy).await;
            if described(&method) {
                assert!(!answer.text().contains("route_not_found"), "{method} {path}");
                assert_ne!(answer.status, 405, "{method} {path}");
            } else {
                answer.is_problem(405, "method_not_allowed");
                let allowed = answer.header("allow").unwrap();
                let are_described =
                    allowed.split(',').all(|one| described(&one.replace("HEAD", "GET").parse().unwrap()));
                assert!(are_described, "{path} takes {allowed}");
            }
        }
    }
}

#[tokio::test]
async fn every_operation_answers_as_its_document_says() {
    let api = Api::new().await;
    fill(&api).await;
    let document = Document::of(&api).await;
    let operations = document.operations();
    let names = names(&api, &operations).await;
    // What is deleted can't be looked at any more.
    let (deleting, others): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| operation.method == Method::DELETE);
    for operation in others.into_iter().chain(deleting.into_iter().rev()) {
        let is_resolving = operation.path.ends_with("/resolve");
        let dead = if is_resolving { api.ids("/api/v1/deliveries?state=dead").await } else { vec![] };
        let path = match operation.about() {
            Some((list, name)) => {
                let one = dead.first().unwrap_or_else(|| names[list].last().unwrap());
                operation.path.replace(&format!("{{{name}}}"), one)
            }
            None => operation.path.clone(),
        };
        let path = match operation.path.as_str() {
            "/api/v1/replays" if operation.method == Method::POST => format!("{path}?eventType=*"),
            _ if is_resolving => format!("{path}?note=done"),
            _ => path,
        };
        let answer = api.ask(operation.method.clone(), &path).await;
        assert!(answer.status.is_success(), "{} {path}: {}", operation.method, answer.text());
        let described = document.describes(operation, &path, false, &answer);
        assert_eq!(described, Ok(()), "{} {path}: {}", operation.method, answer.text());
    }
}

#[tokio::test]
async fn every_example_fits_its_schema() {
    let api = Api::new().await;
    let document = Document::of(&api).await;
    let mut examples = 0;
    for operation in document.operations() {
        let responses = operation.described["responses"].as_object().unwrap().values();
        let bodies = responses.chain([&operation.described["requestBody"]]);
        for body in bodies {
            for content in body["content"].as_object().into_iter().flatten().map(|(_, content)| content) {
                let several = content["examples"].as_object().into_iter().flatten();
                let several = several.map(|(_, example)| &example["value"]);
                for example in content.get("example").into_iter().chain(several) {
                    let fits = document.is_valid(&content["schema"], example);
                    assert_eq!(fits, Ok(()), "{} {}: {example}", operation.method, operation.path);
                    examples += 1;
                }
            }
        }
    }
    assert!(examples > 100, "{examples}");
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let api = Api::new().await;
    let document = Document::of(&api).await;
    assert_eq!(document.json["openapi"], "3.1.0");
    each(&document.json, &mut |value| {
        if let Some(place) = value["$ref"].as_str() {
            assert!(document.json.pointer(place.trim_start_matches('#')).is_some(), "{place}");
        }
    });
    let operations = document.operations();
    let names: BTreeSet<&str> =
        operations.iter().map(|operation| operation.described["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    for operation in &operations {
        let is_guarded = operation.described["security"].is_array();
        assert_eq!(is_guarded, operation.statuses().contains("401"), "{}", operation.path);
        assert_eq!(is_guarded, api.ask_with(Method::GET, &operation.path, &[]).await.status != 200);
    }
}

fn each(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|value| each(value, look)),
        Value::Array(items) => items.iter().for_each(|value| each(value, look)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_needs_no_token_and_nothing_from_elsewhere() {
    let api = Api::new().await;
    for path in ["/docs", "/docs/page.css", "/docs/page.js", "/openapi.json"] {
        let answer = api.ask_with(Method::GET, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        if path != "/openapi.json" {
            // Not even a name of another host, so that a look is enough.
            assert!(!answer.text().contains("//") || path.ends_with(".js"), "{path}");
            assert!(!answer.text().contains("http:") && !answer.text().contains("https:"), "{path}");
            assert!(!answer.text().contains(TOKEN));
        }
    }
    let page = api.ask_with(Method::GET, "/docs", &[]).await;
    for link in page.text().split(['"', '\'']).filter(|part| part.starts_with('/')) {
        assert_eq!(api.ask_with(Method::GET, link, &[]).await.status, 200, "{link}");
    }
}
