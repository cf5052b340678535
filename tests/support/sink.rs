//! A system that receives what a handler of kind `http` sends, and answers as the test wants.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;

/// A call that the sink received.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Answer = Arc<dyn Fn(usize, &Call) -> Response + Send + Sync>;

/// A running sink. It ends with the test.
pub(crate) struct Sink {
    pub(crate) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone)]
struct Inside {
    calls: Arc<Mutex<Vec<Call>>>,
    answer: Answer,
}

impl Sink {
    /// A sink that answers every call with 200.
    pub(crate) async fn start() -> Self {
        Self::answering(|_, _| plain(StatusCode::OK)).await
    }

    /// A sink that answers by the number of the call, from 0, and the call itself.
    pub(crate) async fn answering(answer: impl Fn(usize, &Call) -> Response + Send + Sync + 'static) -> Self {
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let inside = Inside { calls: Arc::clone(&calls), answer: Arc::new(answer) };
        let url = serve(Router::new().fallback(take).with_state(inside)).await;
        Self { url, calls }
    }

    /// What it received so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no test panics with the calls").clone()
    }
}

/// A system that answers in ways of its own; its address. It ends with the test.
pub(crate) async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let url = format!("http://{}/sink", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn take(State(inside): State<Inside>, headers: HeaderMap, body: Bytes) -> Response {
    let call = Call { headers, body };
    let number = {
        let mut calls = inside.calls.lock().expect("no test panics with the calls");
        calls.push(call.clone());
        calls.len() - 1
    };
    (inside.answer)(number, &call)
}

/// An answer without a body.
pub(crate) fn plain(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
