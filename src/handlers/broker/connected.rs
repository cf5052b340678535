//! A broker with the connection to it: a handler.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, timeout_at};

use super::Message;
use crate::handlers::{Body, Failure, Handler, Success, Work};

/// A broker, as its kind knows it.
#[async_trait]
pub(in crate::handlers) trait Broker: Send + Sync + 'static {
    /// A connection, shared by the calls that are under way side by side.
    type Connection: Send + Sync + 'static;

    /// Makes a connection, credentials accepted and all. It may be dropped at any moment, when it takes too long.
    async fn connect(&self) -> Result<Self::Connection, Failure>;

    /// Sends a message and waits until the broker has confirmed that it is there. It may be dropped at any moment, when
    /// it takes too long.
    async fn send(&self, connection: &Self::Connection, message: &Message) -> Result<Success, Trouble>;
}

/// Why a message was not confirmed, and what that means for the connection.
pub(in crate::handlers) enum Trouble {
    /// The broker said no; its connection is as good as before.
    Refused(Failure),
    /// The connection is of no use any more. Whether the message has arrived, nobody knows.
    Lost(Failure),
}

/// How long making a connection may take. It is shorter than most handlers' whole time, so that a broker that is not
/// there is told apart from one that is slow.
const CONNECT: Duration = Duration::from_secs(10);

/// A handler that sends to a broker. It has no `Debug`: a broker knows credentials.
pub(in crate::handlers) struct Connected<B: Broker> {
    broker: B,
    body: Body,
    connection: Mutex<Option<Arc<B::Connection>>>,
    /// Held by the one that makes a connection, while the others wait for it.
    connecting: Turn<()>,
}

impl<B: Broker> Connected<B> {
    /// Does not connect yet: Lectern starts whether the broker is there or not.
    pub(in crate::handlers) fn to(broker: B, body: Body) -> Self {
        Self { broker, body, connection: Mutex::default(), connecting: Turn::default() }
    }

    /// The connection that there is, else a new one; and whether it is new.
    async fn connection(&self) -> Result<(Arc<B::Connection>, bool), Failure> {
        if let Some(connection) = self.current().clone() {
            return Ok((connection, false));
        }
        let _turn = self.connecting.lock().await;
        // Whoever had the turn before may have made it.
        if let Some(connection) = self.current().clone() {
            return Ok((connection, false));
        }
        let connection = Arc::new(self.broker.connect().await?);
        *self.current() = Some(Arc::clone(&connection));
        Ok((connection, true))
    }

    /// Makes sure that no further call is given this connection. Those that have it already keep it to their end.
    fn forget(&self, lost: &Arc<B::Connection>) {
        let mut current = self.current();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, lost)) {
            *current = None;
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Arc<B::Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<B: Broker> Handler for Connected<B> {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        let start = Instant::now();
        let deadline = start + work.timeout;
        let message = Message::of(work, &self.body)?;
        let mut again = true;
        loop {
            let patience = work.timeout.min(CONNECT);
            let until = deadline.min(Instant::now() + patience);
            let (connection, is_new) = timeout_at(until, self.connection()).await.map_err(|_elapsed| {
                Failure::timed_out(format!(
                    "no connection within {patience:?}: the server does not answer, or something between here and there \
                     swallows what is sent"
                ))
            })??;
            match timeout_at(deadline, self.broker.send(&connection, &message)).await {
                Ok(Ok(success)) => return Ok(success),
                Ok(Err(Trouble::Refused(failure))) => return Err(failure),
                Ok(Err(Trouble::Lost(failure))) => {
                    self.forget(&connection);
                    // One that has rested may have been closed long ago, which only sending shows.
                    if is_new || failure.permanent || !std::mem::take(&mut again) {
                        return Err(failure);
                    }
                }
                Err(_elapsed) => {
                    // It may be dead without anybody having said so.
                    self.forget(&connection);
                    return Err(Failure::timed_out(format!("no confirmation within {:?}", work.timeout)));
                }
            }
        }
    }
}
