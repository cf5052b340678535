//! The kind `rabbitmq`: publishes the event to an exchange.
//!
//! The message is persistent, and a call is done when RabbitMQ has confirmed it: when every queue that it went to has it
//! safe. A message that would go to no queue comes back, and that is a failure. Exchanges, queues and bindings are not
//! declared here: their types and policies are for those who read from them to say, and two who declare one thing
//! differently shut each other out.
//!
//! Order: calls of one key come one after another, and one connection serves them all. A call that is not confirmed in its
//! time takes the connection with it, and so what of its message is still on this side: nothing comes up minutes
//! later behind its successors.

mod link;
mod message;
mod refusal;
mod settings;
mod socket;

use async_trait::async_trait;

use self::link::Link;
use self::settings::Checked;
use super::broker::{Broker, Connected, Message, Trouble};
use super::{Body, Failure, Handler, Success};
use crate::config::{Settings, SettingsError};

/// Makes a handler of this kind.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    let (body, written) = Body::read_beside(settings)?;
    Ok(Box::new(Connected::to(settings::check(written)?, body)))
}

#[async_trait]
impl Broker for Checked {
    type Connection = Link;

    async fn connect(&self) -> Result<Link, Failure> {
        Link::make(&self.server).await.map_err(|error| refusal::of_connecting(&error, &self.server))
    }

    async fn send(&self, link: &Link, message: &Message) -> Result<Success, Trouble> {
        if link.is_blocked() {
            return Err(refusal::blocked());
        }
        let route = self.route(message)?;
        match link.publish(&route, message).await {
            Ok(confirmation) => refusal::judge(&confirmation, &route),
            Err(error) => Err(refusal::of_publishing(&error, &route, message)),
        }
    }
}
