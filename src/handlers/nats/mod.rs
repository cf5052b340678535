//! The kind `nats`: publishes the event to NATS JetStream.
//!
//! It is done when a stream has confirmed that it holds the message. The message's id, `Nats-Msg-Id`, is the same in every
//! attempt, so that JetStream keeps a repetition out.

mod connection;
mod credentials;
mod refusal;
mod settings;

use async_nats::HeaderMap;
use async_nats::header::{HeaderValue, NATS_MESSAGE_ID};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_trait::async_trait;

use self::connection::Connection;
use self::settings::Server;
use super::broker::{Address, Broker, Connected, Message, Trouble};
use super::{Body, Failure, Handler, Success};
use crate::config::{Settings, SettingsError};

/// A place in NATS. It has no `Debug`: the server is given credentials.
struct Nats {
    server: Server,
    subject: Address,
}

/// Makes a handler of this kind.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    let (body, written) = Body::read_beside(settings)?;
    let (server, subject) = settings::check(written)?;
    Ok(Box::new(Connected::to(Nats { server, subject }, body)))
}

#[async_trait]
impl Broker for Nats {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, Failure> {
        Connection::make(&self.server).await
    }

    async fn send(&self, connection: &Connection, message: &Message) -> Result<Success, Trouble> {
        let subject = self.subject.of(message);
        let publish = PublishMessage::build().payload(message.body.clone()).headers(headers(message));
        let PublishAck { stream, sequence, duplicate, .. } = connection.publish(subject, publish).await?;
        let again = if duplicate { ", where it was already" } else { "" };
        Ok(Success { status: None, output: Some(format!("stream {stream}, sequence {sequence}{again}")) })
    }
}

fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.facts {
        headers.insert(name.as_str(), line(value));
    }
    headers.insert("content-type", line(&message.content_type));
    headers.insert(NATS_MESSAGE_ID, line(&message.id));
    headers
}

/// A header is one line. What is stored has no line breaks, but a header that had one would be another header.
fn line(text: &str) -> HeaderValue {
    HeaderValue::from(text.replace(['\r', '\n'], " "))
}
