//! What a handler takes out of a request, told by the types of its arguments.

use axum::Extension;
use axum::extract::State as Extracted;
use axum::http::HeaderMap;
use utoipa::PartialSchema;

use super::operation::Operation;
use crate::query::State;
use crate::query::auth::Caller;
use crate::query::handlers::Name;
use crate::query::page::Page;
use crate::query::params::{FromParams, Narrowed, Told, learn};
use crate::query::path::{Id, Plain};
use crate::query::refusal::Refusal;

/// A handler whose arguments are all [`Part`]s. `A` is the tuple of them.
pub(in crate::query) trait Described<A> {
    fn describe(operation: &mut Operation);
}

/// What one argument of a handler takes out of a request.
pub(in crate::query) trait Part {
    fn describe(operation: &mut Operation);
}

macro_rules! described {
    ($($part:ident)*) => {
        impl<F, R, $($part: Part),*> Described<($($part,)*)> for F
        where
            F: Fn($($part),*) -> R,
        {
            #[allow(unused_variables, reason = "a handler without arguments")]
            fn describe(operation: &mut Operation) {
                $($part::describe(operation);)*
            }
        }
    };
}

described!();
described!(A);
described!(A B);
described!(A B C);

impl Part for Extracted<State> {
    fn describe(_: &mut Operation) {}
}

impl Part for Extension<Caller> {
    fn describe(_: &mut Operation) {}
}

/// Which of them are read, the table says.
impl Part for HeaderMap {
    fn describe(_: &mut Operation) {}
}

impl<K: PartialSchema> Part for Id<K> {
    fn describe(operation: &mut Operation) {
        operation.is_about(K::schema(), Refusal::ResourceNotFound);
    }
}

impl Part for Name {
    fn describe(operation: &mut Operation) {
        operation.is_about(String::schema(), Refusal::HandlerNotFound);
    }
}

impl Part for Plain {
    fn describe(operation: &mut Operation) {
        operation.takes(learn(|_| {}));
    }
}

impl<F: FromParams> Part for Narrowed<F> {
    fn describe(operation: &mut Operation) {
        operation.takes(learn(|params| {
            F::from_params(params);
        }));
    }
}

impl<F: FromParams> Part for Told<F> {
    fn describe(operation: &mut Operation) {
        operation.takes_in_body(learn(|params| {
            F::from_params(params);
        }));
    }
}

impl<F: FromParams, B> Part for Page<F, B> {
    fn describe(operation: &mut Operation) {
        operation.takes(Self::learn());
        operation.refuses(Refusal::InvalidCursor);
    }
}
