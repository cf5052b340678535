//! The table of the operations.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use utoipa::openapi::HttpMethod;

use super::described::Described;
use super::operation::Operation;
use super::says::Says;
use crate::query::State;

/// Every operation of the API: how it is reached, what answers it, and what is told of it. Nothing can be reached that is not
/// told of, because nothing else makes a route.
pub(in crate::query) struct Book {
    guarded: Router<State>,
    open: Router<State>,
    operations: Vec<Entry>,
}

/// An operation as the document has it.
pub(super) struct Entry {
    pub(super) method: HttpMethod,
    pub(super) path: String,
    pub(super) operation: Operation,
    pub(super) says: Says,
}

impl Book {
    pub(in crate::query) fn new() -> Self {
        Self { guarded: Router::new(), open: Router::new(), operations: Vec::new() }
    }

    pub(in crate::query) fn get<H, T, A>(self, path: &str, handler: H, says: Says) -> Self
    where
        H: Handler<T, State> + Described<A>,
        T: 'static,
    {
        self.on(MethodFilter::GET, HttpMethod::Get, path, handler, says)
    }

    pub(in crate::query) fn post<H, T, A>(self, path: &str, handler: H, says: Says) -> Self
    where
        H: Handler<T, State> + Described<A>,
        T: 'static,
    {
        self.on(MethodFilter::POST, HttpMethod::Post, path, handler, says)
    }

    pub(in crate::query) fn delete<H, T, A>(self, path: &str, handler: H, says: Says) -> Self
    where
        H: Handler<T, State> + Described<A>,
        T: 'static,
    {
        self.on(MethodFilter::DELETE, HttpMethod::Delete, path, handler, says)
    }

    fn on<H, T, A>(
        mut self,
        filter: MethodFilter,
        method: HttpMethod,
        path: &str,
        handler: H,
        says: Says,
    ) -> Self
    where
        H: Handler<T, State> + Described<A>,
        T: 'static,
    {
        let operation = Operation::of::<H, A>(path);
        let routes = if says.is_open { &mut self.open } else { &mut self.guarded };
        *routes = std::mem::take(routes).route(path, on(filter, handler));
        self.operations.push(Entry { method, path: path.to_owned(), operation, says });
        self
    }

    /// The routes that ask for a token, and those that do not.
    pub(in crate::query) fn routes(self) -> (Router<State>, Router<State>) {
        (self.guarded, self.open)
    }

    pub(super) fn operations(self) -> Vec<Entry> {
        self.operations
    }
}
