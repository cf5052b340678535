//! What the table says of an operation besides what its handler takes.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::Header;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content, KnownFormat, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};

use super::examples::Shown;
use crate::query::answer::{self, Metadata};
use crate::query::refusal::Refusal;

/// A cursor in an example. It is opaque to callers.
const CURSOR: &str = "eyJsaXN0Ijoi…";

/// What the table says of an operation.
pub(in crate::query) struct Says {
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Refusal>,
    /// Whether it asks for no token.
    pub(super) is_open: bool,
    /// The schemas that the answers name.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: u16,
    description: &'static str,
    body: Body,
}

enum Body {
    /// In the form of all answers.
    Data { schema: RefOr<Schema>, example: Value, is_page: bool },
    /// Something else.
    Other(&'static str, Schema),
}

/// The operation of this group that does this.
pub(in crate::query) fn says(tag: &'static str, summary: &'static str) -> Says {
    Says {
        tag,
        summary,
        description: None,
        headers: Vec::new(),
        answers: Vec::new(),
        refusals: Vec::new(),
        is_open: false,
        schemas: Vec::new(),
    }
}

impl Says {
    pub(in crate::query) fn more(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// It reads this header.
    pub(in crate::query) fn header(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.headers.push((name, meaning));
        self
    }

    /// It refuses this for a reason that does not lie in what it takes.
    pub(in crate::query) fn refuses(mut self, refusal: Refusal) -> Self {
        self.refusals.push(refusal);
        self
    }

    /// It asks for no token.
    pub(in crate::query) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// It answers with one thing.
    pub(in crate::query) fn one<T: Shown>(mut self) -> Self {
        let schema = self.named::<T>();
        self.data(200, "What it comes to", schema, T::example(), false)
    }

    /// It answers with one thing that is yet to happen.
    pub(in crate::query) fn accepted<T: Shown>(mut self) -> Self {
        let schema = self.named::<T>();
        self.data(202, "It is queued, and has not happened yet", schema, T::example(), false)
    }

    /// It answers with a page of such things.
    pub(in crate::query) fn page_of<T: Shown>(mut self) -> Self {
        let items = self.named::<T>();
        let schema = ArrayBuilder::new().items(items).into();
        self.data(200, "A page", schema, Value::Array(vec![T::example()]), true)
    }

    /// It answers with a page of such things, or of such with more to them.
    pub(in crate::query) fn page_of_either<T: Shown, M: Shown>(mut self) -> Self {
        let items = AnyOfBuilder::new().item(self.named::<T>()).item(self.named::<M>());
        let schema = ArrayBuilder::new().items(items).into();
        self.data(200, "A page", schema, Value::Array(vec![M::example()]), true)
    }

    /// It answers with all of them.
    pub(in crate::query) fn all<T: Shown>(mut self) -> Self {
        let items = self.named::<T>();
        let schema = ArrayBuilder::new().items(items).into();
        self.data(200, "All of them, on one page", schema, Value::Array(vec![T::example()]), false)
    }

    /// It answers with bytes of whatever type.
    pub(in crate::query) fn bytes(self) -> Self {
        let bytes = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        self.other("The bytes, of the type that they were sent with", "*/*", bytes.into())
    }

    /// It answers with a text of this type.
    pub(in crate::query) fn text(self, content_type: &'static str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        self.other("A text", content_type, text.into())
    }

    /// It answers with JSON that is not in the form of all answers.
    pub(in crate::query) fn object(self) -> Self {
        self.other("An object", "application/json", ObjectBuilder::new().schema_type(Type::Object).into())
    }

    fn named<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name()).into()
    }

    fn data(
        mut self,
        status: u16,
        description: &'static str,
        schema: RefOr<Schema>,
        example: Value,
        is_page: bool,
    ) -> Self {
        self.named::<Metadata<'_>>();
        let body = Body::Data { schema, example, is_page };
        self.answers.push(Answer { status, description, body });
        self
    }

    fn other(mut self, description: &'static str, content_type: &'static str, schema: Schema) -> Self {
        self.answers.push(Answer { status: 200, description, body: Body::Other(content_type, schema) });
        self
    }
}

impl Answer {
    /// Whether it need not be sent again to whoever names its tag. Bytes have one where they are JSON.
    pub(super) fn may_be_unchanged(&self) -> bool {
        matches!(&self.body, Body::Other("*/*", _)) || self.is_tagged()
    }

    /// Whether it always has a tag.
    fn is_tagged(&self) -> bool {
        match &self.body {
            Body::Data { .. } => self.status == 200,
            Body::Other(content_type, _) => *content_type == "application/json",
        }
    }

    /// The answer to whoever asks for `path`.
    pub(super) fn response(&self, path: &str, is_reading: bool) -> Response {
        let (content_type, content) = match &self.body {
            Body::Data { schema, example, is_page } => {
                ("application/json", enveloped(path, schema, example, *is_page))
            }
            Body::Other(content_type, schema) => (*content_type, Content::new(Some(schema.clone()))),
        };
        let mut response =
            ResponseBuilder::new().description(self.description).content(content_type, content);
        if is_reading && self.is_tagged() {
            let mut tag = Header::new(ObjectBuilder::new().schema_type(Type::String).build());
            tag.description = Some("Names what is said. Send it as `If-None-Match` next time".to_owned());
            response = response.header("ETag", tag);
        }
        response.build()
    }
}

/// The form of every answer, with this inside.
fn enveloped(path: &str, data: &RefOr<Schema>, example: &Value, is_page: bool) -> Content {
    let schema = ObjectBuilder::new()
        .property("data", data.clone())
        .required("data")
        .property("metadata", Ref::from_schema_name(Metadata::name()))
        .required("metadata");
    let example = answer::example(path, example, is_page.then_some(CURSOR));
    ContentBuilder::new().schema(Some(schema)).example(Some(example)).build()
}
