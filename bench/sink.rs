//! The system that a handler of kind `http` delivers to: it answers 200 as soon as it has the whole body, and does
//! nothing else.
//!
//! Arguments: the address to listen at, and a text. A body that holds the text is answered 503.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

/// It is to cost as little as it can.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

// On one thread, for the same reason.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("the address to listen at is missing")?;
    let refused: Arc<[u8]> = arguments.next().ok_or("the text to refuse is missing")?.into_bytes().into();
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let refused = Arc::clone(&refused);
        let service = service_fn(move |request| answer(request, Arc::clone(&refused)));
        // However a connection ends, its end is all there is to it.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    refused: Arc<[u8]>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let is_good = match request.into_body().collect().await {
        Ok(body) => !body.to_bytes().windows(refused.len()).any(|piece| piece == &*refused),
        Err(_broken_off) => false,
    };
    let mut response = Response::new(Empty::new());
    if !is_good {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}
