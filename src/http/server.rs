//! Listening, and serving until told to stop.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::connections::{Connections, Place};
use super::limits::{BUFFER, Limits};
use super::watched::{WatchedBody, WatchedStream};

/// The pause after a connection could not be taken, such as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the log says that connections can't be taken.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// Listens at `address`; port 0 means any free one.
///
/// # Errors
/// When the address can't be listened at, such as one that is in use.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` is cancelled; then takes no new connection, finishes what is under way within seconds, and ends.
pub async fn serve(listener: TcpListener, routes: Router, limits: Limits, stop: CancellationToken) {
    let ended = CancellationToken::new();
    let _end_connections = ended.clone().drop_guard();
    let connections = Connections::new(limits);
    let under_way = GracefulShutdown::new();
    let mut protocol = http1::Builder::new();
    // The time for headers is bounded by the connection's turn, which tells a slow request from a resting connection.
    protocol.header_read_timeout(None).max_buf_size(BUFFER);
    let mut told = None;
    loop {
        let next = async {
            let stream = connection(&listener, &connections, &mut told).await;
            (stream, connections.enter().await)
        };
        let (stream, place) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let stream = TokioIo::new(WatchedStream::new(stream, Arc::clone(&place.turn)));
        let exchange = protocol.serve_connection(stream, service(&routes, &place));
        let exchange = under_way.watch(exchange);
        let ended = ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                outcome = exchange => if let Err(error) = outcome {
                    // Whoever hangs up in the middle, or speaks no HTTP, has nothing to be told.
                    tracing::debug!(%error, "a connection broke");
                },
                () = place.turn.over() => tracing::debug!("a connection was closed for keeping us waiting"),
                () = ended.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    let time_is_up = async {
        sleep(limits.last_bytes).await;
        connections.close_all_that_we_wait_for(Instant::now());
        sleep(limits.grace.saturating_sub(limits.last_bytes)).await;
    };
    tokio::select! {
        () = under_way.shutdown() => {}
        () = time_is_up => {}
    }
}

/// The routes, for one connection: its turn knows what they are doing.
fn service(
    routes: &Router,
    place: &Place,
) -> impl hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ use<> {
    let routes = TowerToHyperService::new(routes.clone());
    let turn = Arc::clone(&place.turn);
    service_fn(move |request: Request<Incoming>| {
        turn.asked(Instant::now());
        let answer = routes.call(request.map(|body| WatchedBody::new(body, Arc::clone(&turn))));
        let turn = Arc::clone(&turn);
        async move {
            let answer = answer.await;
            turn.answered(Instant::now());
            answer
        }
    })
}

/// The next connection. `told` is when the log last said that one could not be taken.
async fn connection(
    listener: &TcpListener,
    connections: &Connections,
    told: &mut Option<Instant>,
) -> TcpStream {
    loop {
        let error = match listener.accept().await {
            Ok((stream, _)) => {
                // An answer is one small packet: waiting to fill it would only make it late.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return stream;
            }
            Err(error) => error,
        };
        // Whoever was gone before it was its turn has nothing to be told.
        if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) {
            continue;
        }
        // There is no room for it at this moment, such as when the system lets us have fewer files than connections.
        let now = Instant::now();
        if told.is_none_or(|told| now.duration_since(told) >= TELL_AGAIN) {
            tracing::warn!(%error, "a connection could not be taken");
            *told = Some(now);
        }
        connections.make_room(now);
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
