//! What the kinds that hand events to a broker have in common: a message, where it goes, and one connection that is made
//! when it is needed and made anew when it is lost.
//!
//! A kind implements `Broker`; `Connected` makes a handler of it. Nothing is buffered: a call ends with the broker's
//! confirmation, or as a failure within the handler's timeout. Kafka's client, which looks after its connections itself,
//! has use for the message and its address alone.

mod address;
#[cfg(any(feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod connected;
mod message;

pub(super) use self::address::Address;
#[cfg(any(feature = "nats", feature = "rabbitmq", feature = "redis"))]
pub(super) use self::connected::{Broker, Connected, Trouble};
pub(super) use self::message::Message;
