//! What an operation takes, and what it refuses for that reason.

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, Object, SchemaFormat, Type};
use utoipa::openapi::{Content, ObjectBuilder, RefOr, Required, Schema};

use super::described::Described;
use super::meanings::meaning;
use crate::query::params::{Form, Known, Learnt};
use crate::query::refusal::Refusal;

/// What the arguments of a handler say of its operation.
#[derive(Default)]
pub(in crate::query) struct Operation {
    /// The name in the path, if there is one.
    in_path: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) refusals: Vec<Refusal>,
}

impl Operation {
    /// The operation at `path` that `H` answers.
    pub(super) fn of<H: Described<A>, A>(path: &str) -> Self {
        let in_path = path.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let mut operation = Self { in_path: in_path.map(|(name, _)| name.to_owned()), ..Self::default() };
        H::describe(&mut operation);
        operation
    }

    /// It is about what the path names.
    pub(super) fn is_about(&mut self, schema: RefOr<Schema>, unless: Refusal) {
        let name = self.in_path.clone().unwrap_or_default();
        let parameter = ParameterBuilder::new()
            .description(meaning(&name))
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema));
        self.parameters.push(parameter.build());
        self.refuses(unless);
    }

    /// It takes these parameters, and no other.
    pub(super) fn takes(&mut self, learnt: Learnt) {
        let parameters = learnt.parameters.iter().map(|known| {
            ParameterBuilder::new()
                .name(known.name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(description(known)))
                .schema(Some(schema(known)))
                .build()
        });
        self.parameters.extend(parameters);
        self.refusals.extend(learnt.refusal);
    }

    /// It takes them in a JSON object as the body, too.
    pub(super) fn takes_in_body(&mut self, learnt: Learnt) {
        let mut object =
            ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for known in &learnt.parameters {
            let mut property = schema(known);
            property.description = Some(description(known));
            object = object.property(known.name, property);
        }
        let mut content = Content::new(Some(object));
        content.example = Some(example(&learnt.parameters));
        let mut body = RequestBody::new();
        body.description = Some("The parameters, if they do not stand in the query".to_owned());
        body.required = Some(Required::False);
        body.content.insert("application/json".to_owned(), content);
        self.body = Some(body);
        self.takes(learnt);
        self.refuses(Refusal::InvalidBody);
    }

    pub(super) fn refuses(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

/// What is meant by a parameter, and what it must be.
fn description(known: &Known) -> String {
    let needed = if known.is_needed { ". Nothing happens without it" } else { "" };
    match meaning(known.name) {
        Some(meaning) => format!("{meaning}: {}{needed}", known.expected),
        None => format!("{}{needed}", known.expected),
    }
}

fn schema(known: &Known) -> Object {
    let of = |r#type| ObjectBuilder::new().schema_type(r#type);
    let object = match &known.form {
        Form::Text => of(Type::String),
        Form::Characters(range) => {
            of(Type::String).min_length(Some(*range.start())).max_length(Some(*range.end()))
        }
        Form::Number(range) => {
            of(Type::Integer).minimum(Some(f64::from(*range.start()))).maximum(Some(f64::from(*range.end())))
        }
        Form::Moment => of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Form::Switch => of(Type::Boolean),
        Form::Uuid => of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
        Form::Word(words) => of(Type::String).enum_values(Some(words.iter().copied())),
    };
    object.build()
}

/// A body: the first of what must be there, or else the first two that are none of a filter's words.
fn example(parameters: &[Known]) -> Value {
    match parameters.iter().find(|known| known.is_needed) {
        Some(known) => json!({ known.name: "told them by telephone" }),
        None => json!({ "handler": "crm", "receivedAfter": "2026-11-21T18:00:00Z" }),
    }
}
