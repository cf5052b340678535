//! The message as RabbitMQ takes it, and where it goes.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use super::settings::Checked;
use crate::handlers::Failure;
use crate::handlers::broker::{Message, Trouble};

/// Kept on the disk.
const PERSISTENT: u8 = 2;

/// Where a message goes.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
}

impl Checked {
    /// The route of a message.
    pub(super) fn route(&self, message: &Message) -> Result<Route, Trouble> {
        let key = ShortString::try_new(self.routing_key.of(message)).map_err(|_| {
            Trouble::Refused(Failure::permanent(
                "with the event's type in it, the routing key is longer than 255 bytes: set another `routing_key`",
            ))
        })?;
        Ok(Route { exchange: self.exchange.clone(), key })
    }
}

/// What is said of the body.
pub(super) fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &message.facts {
        headers.insert(name.as_str().into(), AMQPValue::LongString(value.as_str().into()));
    }
    // A type of content that is longer than it can be is none.
    let content_type = ShortString::try_new(&*message.content_type);
    BasicProperties::default()
        .with_content_type(content_type.unwrap_or_else(|_| "application/octet-stream".into()))
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message.id.as_str().into())
        .with_headers(headers)
}
