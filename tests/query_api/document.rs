//! The API's own document, and whether an answer is one that it describes.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::api::{Answer, Api};

pub(crate) struct Document {
    pub(crate) json: Value,
    /// By their schemas, made when they are first used.
    validators: RefCell<HashMap<String, Validator>>,
}

/// An operation as the document has it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) described: Value,
}

/// A parameter as the document has it.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) schema: Value,
}

impl Document {
    pub(crate) async fn of(api: &Api) -> Self {
        let answer = api.ask_with(Method::GET, "/openapi.json", &[]).await;
        assert_eq!(answer.status, 200);
        Self { json: answer.json(), validators: RefCell::default() }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let paths = self.json["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, described)| Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                described: described.clone(),
            })
        });
        operations.collect()
    }

    /// Whether the answer to whoever asked for `asked` is described; if not, why.
    pub(crate) fn describes(
        &self,
        operation: &Operation,
        asked: &str,
        is_head: bool,
        answer: &Answer,
    ) -> Result<(), String> {
        let status = answer.status.as_u16().to_string();
        if answer.status.is_server_error() {
            return Err(format!("a failure inside: {status}"));
        }
        let response = &operation.described["responses"][&status];
        if response.is_null() {
            return Err(format!("{status} is not described"));
        }
        for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
            // A tag is made of a body, and the answer to HEAD has none.
            if !(is_head && name == "ETag") && answer.headers.get(name.as_str()).is_none() {
                return Err(format!("{name} is missing"));
            }
        }
        let content = response["content"].as_object();
        let Some(content) = content.filter(|_| !is_head) else {
            return if answer.body.is_empty() { Ok(()) } else { Err("there is a body".into()) };
        };
        let content_type = answer.header("content-type").unwrap_or_default();
        let (media, described) = content.iter().next().ok_or("no content is described")?;
        if media != "*/*" && media != content_type {
            return Err(format!("{content_type} is not described"));
        }
        if media != "application/json" {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        self.is_valid(&described["schema"], &body)?;
        self.is_all_described(&described["schema"], &body)?;
        if answer.status.is_success() && body["metadata"].is_object() && body["metadata"]["url"] != asked {
            return Err(format!("metadata.url is {}", body["metadata"]["url"]));
        }
        Ok(())
    }

    /// Whether a value fits a schema.
    pub(crate) fn is_valid(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| self.validator(schema));
        validator.validate(value).map_err(|error| format!("{}: {error}", error.instance_path()))
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut root = schema.clone();
        root["components"] = self.json["components"].clone();
        jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
    }

    /// Whether every field of the value is in the schema: schemas are open, so that clients bear with more, but what is
    /// answered is told.
    fn is_all_described(&self, schema: &Value, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| {
                let schemas: Vec<&Value> = self.inside(schema).into_iter().map(|one| &one["items"]).collect();
                self.is_described_by_any(&schemas, item)
            }),
            Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                let mut schemas = Vec::new();
                for one in self.inside(schema) {
                    match &one["properties"][name] {
                        Value::Null => schemas.extend(one.get("additionalProperties")),
                        property => schemas.push(property),
                    }
                    // Of anything: whatever it holds is described.
                    if one.as_object().is_some_and(is_open) {
                        return Ok(());
                    }
                }
                if schemas.is_empty() {
                    return Err(format!("{name} is not described"));
                }
                self.is_described_by_any(&schemas, value).map_err(|error| format!("{name}: {error}"))
            }),
            _ => Ok(()),
        }
    }

    fn is_described_by_any(&self, schemas: &[&Value], value: &Value) -> Result<(), String> {
        let mut outcomes = schemas.iter().map(|schema| self.is_all_described(schema, value));
        outcomes
            .find(Result::is_ok)
            .unwrap_or_else(|| self.is_all_described(schemas.first().ok_or("nothing is described")?, value))
    }

    /// The schema and all that it is made of.
    fn inside<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.inside(self.json.pointer(name.trim_start_matches('#')).unwrap());
        }
        let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|word| schema[*word].as_array()).flatten();
        std::iter::once(schema).chain(parts.flat_map(|part| self.inside(part))).collect()
    }
}

fn is_open(schema: &serde_json::Map<String, Value>) -> bool {
    let says_nothing = ["type", "properties", "allOf", "oneOf", "anyOf", "$ref", "items"];
    !says_nothing.iter().any(|word| schema.contains_key(*word))
        || (schema.get("type") == Some(&json!("object"))
            && !schema.contains_key("properties")
            && !schema.contains_key("additionalProperties"))
}

impl Operation {
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let parameter = |one: &Value| Parameter {
            name: text(&one["name"]),
            place: text(&one["in"]),
            schema: one["schema"].clone(),
        };
        parameters.map(parameter).collect()
    }

    /// The list whose things the path names, and the field that names them.
    pub(crate) fn about(&self) -> Option<(&str, &str)> {
        let (list, rest) = self.path.split_once("/{")?;
        Some((list, rest.split_once('}')?.0))
    }

    pub(crate) fn statuses(&self) -> BTreeSet<String> {
        self.described["responses"].as_object().unwrap().keys().cloned().collect()
    }
}

/// What things are called that each list has.
pub(crate) async fn names(api: &Api, operations: &[Operation]) -> HashMap<String, Vec<String>> {
    let mut names = HashMap::new();
    for (list, name) in operations.iter().filter_map(Operation::about) {
        if !names.contains_key(list) {
            let page = api.read(&format!("{list}?limit=100").replace("handlers?limit=100", "handlers")).await;
            let items = page["data"].as_array().unwrap().iter();
            let found: Vec<String> =
                items.filter_map(|item| item[name].as_str().map(str::to_owned)).collect();
            assert!(!found.is_empty(), "{list} is empty");
            names.insert(list.to_owned(), found);
        }
    }
    names
}
