//! The kind `redis`: adds the event to a Redis stream.
//!
//! It is done when the server has answered with the entry's id. Redis knows no repetitions: one that is added twice is told by
//! the field `lectern-message-id`.

mod refusal;
mod settings;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, cmd};

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
    type Connection = MultiplexedConnection;

    async fn connect(&self) -> Result<MultiplexedConnection, Failure> {
        // How long to wait is the caller's to say.
        let patient = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&patient)
            .await
            .map_err(|error| refusal::of_connecting(&error, self))
    }

    async fn send(&self, connection: &MultiplexedConnection, message: &Message) -> Result<Success, Trouble> {
        let stream = self.stream.of(message);
        let entry: String = self
            .entry(&stream, message)
            .query_async(&mut connection.clone())
            .await
            .map_err(|error| refusal::of_adding(&error, &stream))?;
        Ok(Success { status: None, output: Some(format!("stream {stream}, entry {entry}")) })
    }
}

impl Checked {
    /// The command that adds the entry.
    fn entry(&self, stream: &str, message: &Message) -> Cmd {
        let mut add = cmd("XADD");
        add.arg(stream);
        if let Some(most) = self.maxlen {
            // About: Redis then drops whole blocks, which costs next to nothing.
            add.arg("MAXLEN").arg("~").arg(most.get());
        }
        add.arg("*").arg("body").arg(&*message.body).arg("content-type").arg(&message.content_type);
        add.arg("lectern-message-id").arg(&message.id);
        for (name, value) in &message.facts {
            add.arg(name).arg(value);
        }
        add
    }
}
