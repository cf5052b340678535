//! Listening, and serving until told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long requests under way may go on once the process has been told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a connection may take to bring the headers of its next request. Longer than the usual proxies keep an
/// idle connection (60 seconds to 2 minutes), so that it is the proxy who hangs up, and no request meets a closing
/// connection.
const HEADERS_WITHIN: Duration = Duration::from_secs(125);

/// How many connections a listener has at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 4096;

/// The pause after a connection could not be taken, such as when the process has too many files open.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens at `address`; port 0 means any free one.
///
/// # Errors
/// When the address can't be listened at, such as one that is in use.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` is cancelled; then takes no new connection, finishes what is under way within seconds, and ends.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let ended = CancellationToken::new();
    let _end_connections = ended.clone().drop_guard();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = GracefulShutdown::new();
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, connection(&listener).await)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection = connections.watch(protocol.serve_connection(TokioIo::new(stream), service));
        let ended = ended.clone();
        tokio::spawn(async move {
            // Whoever hangs up in the middle, or speaks no HTTP, has nothing to be told.
            if let Some(Err(error)) = ended.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = sleep(GRACE) => {}
    }
}

/// The next connection.
async fn connection(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // An answer is one small packet: waiting to fill it would only make it late.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return stream;
            }
            // Not the listener is broken but the connection, or there is no room for it at this moment.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}
