//! The connection, and its channels, of which each call has one to itself.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::tcp::AMQPUriTcpExt as _;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::time::timeout;

use super::message::{self, Route};
use super::settings::Server;
use super::socket::{self, Hold};
use crate::handlers::broker::Message;

/// How long the client's thread may take to the end of the TLS handshake, whether or not somebody still waits for it.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection. It ends with this value.
pub(super) struct Link {
    connection: Connection,
    /// Those that no call has at the moment.
    channels: Mutex<Vec<Channel>>,
    hold: Hold,
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn make(server: &Server) -> lapin::Result<Self> {
        let (hold, slot) = socket::hold();
        let tls = server.tls.clone();
        let runtime = lapin::runtime::default_runtime()?;
        let here = runtime.clone();
        let connect = async move |uri: AMQPUri, _| {
            let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..uri.clone() };
            let connecting = async {
                let stream = plain.connect_async(&here).await?;
                if let AsyncTcpStream::Plain(stream) = &stream {
                    slot.fill(stream.get_ref())?;
                }
                match uri.scheme {
                    AMQPScheme::AMQP => Ok(stream),
                    AMQPScheme::AMQPS => stream.into_tls(&uri.authority.host, tls.as_ref()).await,
                }
            };
            let late = |_| io::Error::from(io::ErrorKind::TimedOut);
            Ok(timeout(CONNECT, connecting).await.map_err(late).flatten()?)
        };
        let properties = ConnectionProperties::default().with_connection_name("lectern".into());
        let connection = Connection::connector(server.uri.clone(), runtime, connect, properties).await?;
        Ok(Self { connection, channels: Mutex::default(), hold })
    }

    /// Whether RabbitMQ has asked not to be sent anything for the time being.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Publishes and waits for the answer. Dropped before there is one, it ends the connection.
    pub(super) async fn publish(&self, route: &Route, message: &Message) -> lapin::Result<Confirmation> {
        let unsettled = Unsettled(&self.hold);
        let outcome = self.publish_to_the_end(route, message).await;
        unsettled.settle();
        outcome
    }

    async fn publish_to_the_end(&self, route: &Route, message: &Message) -> lapin::Result<Confirmation> {
        // A mistake, such as an exchange that is not there, closes the channel: nobody else must have anything on it. Nor
        // could a message that comes back be told from another's.
        let channel = self.channel().await?;
        let Route { exchange, key } = route.clone();
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = message::properties(message);
        let sent = channel.basic_publish(exchange, key, options, &message.body, properties).await?;
        let confirmation = sent.await?;
        self.channels().push(channel);
        Ok(confirmation)
    }

    async fn channel(&self) -> lapin::Result<Channel> {
        let free = self.channels().pop();
        if let Some(channel) = free.filter(|channel| channel.status().connected()) {
            return Ok(channel);
        }
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    fn channels(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message of which nobody knows what became of it.
struct Unsettled<'a>(&'a Hold);

impl Unsettled<'_> {
    fn settle(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        self.0.cut();
    }
}
