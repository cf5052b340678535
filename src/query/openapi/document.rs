//! The document, made from the table.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApiBuilder, Ref, Required,
    ResponseBuilder, Responses, ResponsesBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::book::{Book, Entry};
use super::says::Answer;
use crate::http::{Problem, ProblemBody, took_too_long};
use crate::query::refusal::Refusal;
use crate::store::StoreError;

/// What the token is called in the document.
const TOKEN: &str = "token";

const DESCRIPTION: &str = "What arrived from Podium, the picture that it gives, what became of it, and what a person does about it.

Every answer is `{\"data\": …, \"metadata\": …}`, every error `{\"code\": …, \"message\": …, \"moreInfo\": …}`. What is not known is \
null, never left out; more fields may come. Parameters are read strictly: one that is unknown, given twice or not well-formed is 400. \
`HEAD` works wherever `GET` does; any other method that a path has not is 405 with `Allow`. Times are ISO 8601 in UTC.";

/// The document of all operations in the table.
pub(super) fn document(book: Book) -> Value {
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`LECTERN_API_TOKEN`, or one that `lectern token create` made"));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer.build()));
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let mut paths = Paths::new();
    for entry in book.operations() {
        components.schemas.extend(entry.says.schemas.iter().cloned());
        paths.add_path_operation(entry.path.clone(), vec![entry.method.clone()], operation(entry));
    }
    let info =
        InfoBuilder::new().title("Lectern").version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION));
    let document = OpenApiBuilder::new().info(info.build()).paths(paths).components(Some(components)).build();
    let mut document = json!(document);
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.values_mut().for_each(need_everything);
    }
    unlink(&mut document);
    document
}

fn operation(entry: Entry) -> utoipa::openapi::path::Operation {
    let Entry { method, path, operation, says } = entry;
    let is_reading = method == HttpMethod::Get;
    let may_be_unchanged = is_reading && says.answers.iter().any(Answer::may_be_unchanged);
    let mut described = OperationBuilder::new()
        .operation_id(Some(id_of(&method, &path)))
        .tag(says.tag)
        .summary(Some(says.summary))
        .description(says.description);
    let headers = says.headers.iter().copied();
    let tags = may_be_unchanged.then_some(("If-None-Match", "The `ETag` of an answer that is there already"));
    let headers = headers.chain(tags).map(|(name, meaning)| header(name, meaning));
    described = described.parameters(Some(operation.parameters.into_iter().chain(headers)));
    described = described.request_body(operation.body);
    if !says.is_open {
        described = described.security(SecurityRequirement::new(TOKEN, Vec::<String>::new()));
    }

    let mut responses = Responses::new();
    for answer in &says.answers {
        responses.responses.insert(answer.status.to_string(), answer.response(&path, is_reading).into());
    }
    if may_be_unchanged {
        let unchanged = ResponseBuilder::new().description("It is as it was: nothing is sent");
        responses.responses.insert("304".to_owned(), unchanged.build().into());
    }
    let mut refusals: Vec<Refusal> = operation.refusals.into_iter().chain(says.refusals).collect();
    if !says.is_open {
        refusals.extend(of_everybody());
        refusals.extend((!is_reading).then_some(Refusal::OnlyReads));
    }
    // Even where the store is asked nothing: whatever else goes wrong inside is told so.
    refusals.push(Refusal::Store(StoreError::Failed("an example".into())));
    let mut problems = problems(&refusals);
    problems.entry(408).or_default().problems.push(took_too_long());
    let refused = problems.into_iter().map(|(status, told)| (status.to_string(), told.response()));
    let refused: Responses = ResponsesBuilder::new().responses_from_iter(refused).build();
    responses.responses.extend(refused.responses);
    described.responses(responses).build()
}

/// What everybody may be refused for.
fn of_everybody() -> [Refusal; 3] {
    [
        Refusal::Unauthenticated("a token is needed"),
        Refusal::TooManyFailures(3),
        Refusal::Store(StoreError::Unavailable("an example".into())),
    ]
}

/// What is told with one status.
#[derive(Default)]
struct Told {
    problems: Vec<Problem>,
    headers: Vec<String>,
}

fn problems(refusals: &[Refusal]) -> BTreeMap<u16, Told> {
    let mut by_status: BTreeMap<u16, Told> = BTreeMap::new();
    for refusal in refusals {
        let problem = refusal.problem();
        let told = by_status.entry(problem.status().as_u16()).or_default();
        told.headers.extend(refusal.header().map(|(name, _)| titled(name.as_str())));
        told.problems.push(problem);
    }
    by_status
}

impl Told {
    fn response(self) -> utoipa::openapi::Response {
        let mut messages: Vec<String> = Vec::new();
        let mut examples = Vec::new();
        for problem in &self.problems {
            let body = json!(problem.body());
            messages.push(format!("`{}`: {}", problem.code(), body["message"].as_str().unwrap_or_default()));
            // One of a code: several sentences may go with it.
            let example = utoipa::openapi::example::ExampleBuilder::new().value(Some(body)).build();
            examples.push((problem.code(), example));
        }
        messages.dedup();
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ProblemBody::name())))
            .examples_from_iter(examples);
        let mut response = ResponseBuilder::new()
            .description(messages.join("; "))
            .content("application/json", content.build());
        for name in self.headers {
            response = response.header(name, Header::new(ObjectBuilder::new().schema_type(Type::String)));
        }
        response.build()
    }
}

fn header(name: &str, meaning: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(meaning))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// `Retry-After` for `retry-after`.
fn titled(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect::<Vec<_>>().join("-").replace("Www", "WWW")
}

/// What programs that are made from the document call an operation: `getEventsIdBody`.
fn id_of(method: &HttpMethod, path: &str) -> String {
    let method = match method {
        HttpMethod::Get => "get",
        HttpMethod::Post => "post",
        HttpMethod::Delete => "delete",
        _ => "ask",
    };
    let words = path.trim_start_matches("/api/v1").split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    std::iter::once(method.to_owned()).chain(words).collect()
}

/// Nothing is left out of an answer: what is not known is null. The derived schemas take what may be null for what may be missing.
fn need_everything(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                let names: Vec<Value> = properties.keys().map(|name| json!(name)).collect();
                // What it is read as where it is missing is not what is answered.
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    property.remove("default");
                }
                fields.insert("required".to_owned(), Value::Array(names));
            }
            fields.values_mut().for_each(need_everything);
        }
        Value::Array(parts) => parts.iter_mut().for_each(need_everything),
        _ => {}
    }
}

/// Descriptions come from the documentation of the code, whose links lead nowhere here.
fn unlink(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = without_links(text);
            }
            let inner = fields.iter_mut().filter(|(name, _)| *name != "example" && *name != "examples");
            inner.for_each(|(_, value)| unlink(value));
        }
        Value::Array(parts) => parts.iter_mut().for_each(unlink),
        _ => {}
    }
}

/// What stands in the brackets of a link, without the link.
fn without_links(text: &str) -> String {
    let mut parts = text.split("[`");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("`]").unwrap_or((part, ""));
        let rest = match rest.strip_prefix('(') {
            Some(link) => link.split_once(')').map_or("", |(_, rest)| rest),
            None => rest,
        };
        plain.push_str(&format!("`{name}`{rest}"));
    }
    plain
}
