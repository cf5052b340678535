//! Why RabbitMQ did not take something, in words for the person who has to do something about it.

use lapin::protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Confirmation, Error, ErrorKind};

use super::message::Route;
use super::settings::Server;
use crate::handlers::broker::{Message, Trouble};
use crate::handlers::{Failure, Success};

/// A connection that was not made.
pub(super) fn of_connecting(error: &Error, server: &Server) -> Failure {
    let Some(answer) = answer(error) else {
        let advice = match server.is_encrypted() {
            true if is_about_certificate(error) => {
                "check that `url` has the name in the certificate, and `ca_file`"
            }
            true => "check that it runs there, with TLS, and `url`",
            false => "check that it runs there, and `url`",
        };
        return Failure::retry(format!("{server} can't be reached: {}; {advice}", cause(error)));
    };
    let said = answer.get_message();
    match answer.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Failure::retry(format!(
            "{server} refuses the user or the password: correct them, or let them in there"
        )),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Failure::retry(format!(
            "{server} does not let this user in there: {said}; check the virtual host at the end of `url`"
        )),
        _ => Failure::retry(format!("{server} broke the connection off: {said}")),
    }
}

/// A message that was not confirmed.
pub(super) fn of_publishing(error: &Error, route: &Route, message: &Message) -> Trouble {
    let Some(answer) = answer(error) else {
        return Trouble::Lost(Failure::retry(format!(
            "the connection was lost before the message was confirmed: {}",
            cause(error)
        )));
    };
    let said = answer.get_message();
    let exchange = &route.exchange;
    // The channel is closed and nothing else.
    match answer.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => Trouble::Refused(Failure::retry(format!(
            "there is no exchange `{exchange}`: declare it, or correct `exchange`; Lectern declares none"
        ))),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Trouble::Refused(Failure::retry(format!(
            "RabbitMQ lets this user not publish to the exchange `{exchange}`: give it the permission to write there"
        ))),
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) if said.as_str().contains("max size") => {
            Trouble::Refused(Failure::permanent(format!(
                "the body of {} bytes is more than RabbitMQ takes: raise its `max_message_size`, and then replay this",
                message.body.len()
            )))
        }
        AMQPErrorKind::Soft(_) => {
            Trouble::Refused(Failure::retry(format!("RabbitMQ did not take it: {said}")))
        }
        AMQPErrorKind::Hard(_) => {
            Trouble::Lost(Failure::retry(format!("RabbitMQ broke the connection off: {said}")))
        }
    }
}

/// What the confirmation says.
pub(super) fn judge(confirmation: &Confirmation, route: &Route) -> Result<Success, Trouble> {
    let Route { exchange, key } = route;
    let refused = |why| Err(Trouble::Refused(Failure::retry(why)));
    match confirmation {
        Confirmation::Ack(None) => {
            Ok(Success { status: None, output: Some(format!("exchange `{exchange}`, routing key `{key}`")) })
        }
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) if exchange.as_str().is_empty() => refused(format!(
            "there is no queue `{key}`: declare it, or correct `routing_key`; Lectern declares none"
        )),
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => refused(format!(
            "the exchange `{exchange}` has no queue for the routing key `{key}`: bind one, or correct `routing_key`"
        )),
        Confirmation::Nack(None) => refused(
            "a queue did not keep it: it is full and refuses more, or can't write; its policy and RabbitMQ's log say which"
                .to_owned(),
        ),
        Confirmation::NotRequested => refused("the channel confirms nothing".to_owned()),
    }
}

/// Memory or disk are short there.
pub(super) fn blocked() -> Trouble {
    Trouble::Refused(Failure::retry(
        "RabbitMQ takes nothing at present: its memory or disk is short, `rabbitmqctl status` has the alarm",
    ))
}

/// What RabbitMQ itself said, if it is that.
fn answer(error: &Error) -> Option<&AMQPError> {
    match error.kind() {
        ErrorKind::ProtocolError(answer) => Some(answer),
        _ => None,
    }
}

fn is_about_certificate(error: &Error) -> bool {
    let ErrorKind::IOError(error) = error.kind() else { return false };
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

fn cause(error: &Error) -> String {
    match error.kind() {
        ErrorKind::IOError(error) => error.to_string(),
        ErrorKind::MissingHeartbeatError => "nothing has come from there for too long".to_owned(),
        _ => error.to_string(),
    }
}
