//! What the kinds that hand events to a broker have in common: a message, where it goes, and one connection that is made
//! when it is needed and made anew when it is lost.
//!
//! A kind implements [`Broker`]; [`Connected`] makes a handler of it. Nothing is buffered: a call ends with the broker's
//! confirmation, or as a failure within the handler's timeout.

mod address;
mod connected;
mod message;

use async_trait::async_trait;

pub(super) use self::address::Address;
pub(super) use self::connected::Connected;
pub(super) use self::message::Message;
use super::{Failure, Success};

/// A broker, as its kind knows it.
#[async_trait]
pub(super) trait Broker: Send + Sync + 'static {
    /// A connection, shared by the calls that are under way side by side.
    type Connection: Send + Sync + 'static;

    /// Makes a connection, credentials accepted and all. It may be dropped at any moment, when it takes too long.
    async fn connect(&self) -> Result<Self::Connection, Failure>;

    /// Sends a message and waits until the broker has confirmed that it is there. It may be dropped at any moment, when
    /// it takes too long.
    async fn send(&self, connection: &Self::Connection, message: &Message) -> Result<Success, Trouble>;
}

/// Why a message was not confirmed, and what that means for the connection.
pub(super) enum Trouble {
    /// The broker said no; its connection is as good as before.
    Refused(Failure),
    /// The connection is of no use any more. Whether the message has arrived, nobody knows.
    Lost(Failure),
}
