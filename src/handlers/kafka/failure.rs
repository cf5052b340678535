//! What an error of the client means for the delivery, in words that say what to do.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::producer::Producer;
use crate::handlers::Failure;
use crate::handlers::broker::Message;

/// What a failure is told with.
pub(super) struct Context<'a> {
    pub(super) topic: &'a str,
    pub(super) message: &'a Message,
    pub(super) timeout: Duration,
    pub(super) producer: &'a Producer,
}

impl Context<'_> {
    /// The message was not taken.
    pub(super) fn failure(&self, error: &KafkaError) -> Failure {
        let topic = self.topic;
        let fatal = self.producer.fatal_error();
        let code = match (error.rdkafka_error_code(), &fatal) {
            (Some(Code::Fatal | Code::PurgeQueue | Code::PurgeInflight), Some((code, _))) => Some(*code),
            (code, _) => code,
        };
        match code {
            Some(Code::MessageTimedOut) => self.timed_out(),
            Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => Failure::permanent(format!(
                "the body of {} bytes is more than the brokers take: raise `max.message.bytes` of the topic `{topic}`, \
                 then replay the delivery",
                self.message.body.len()
            )),
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
                Failure::retry(format!(
                    "there is no topic `{topic}`: create it, or correct `topic`; Lectern creates none"
                ))
            }
            Some(Code::TopicAuthorizationFailed) => Failure::retry(format!(
                "the topic `{topic}` is closed to this user: grant it to write there (Write and Describe)"
            )),
            Some(Code::ClusterAuthorizationFailed) => Failure::retry(
                "the cluster is closed to this user: grant it to write without repetitions (IdempotentWrite)",
            ),
            _ => match fatal {
                Some((_, why)) => {
                    Failure::retry(format!("the client gave up, the next attempt has another: {why}"))
                }
                None => Failure::retry(format!("the brokers did not take it: {error}")),
            },
        }
    }

    /// Nothing was confirmed in time.
    pub(super) fn timed_out(&self) -> Failure {
        let timeout = self.timeout;
        Failure::timed_out(match self.producer.trouble() {
            Some((code, trouble)) => {
                format!("not confirmed within {timeout:?}: {trouble}{}", advice(code, &trouble))
            }
            None => format!("not confirmed within {timeout:?}, and the brokers did not say why"),
        })
    }
}

/// What to look at.
fn advice(code: Code, trouble: &str) -> &'static str {
    match code {
        // Which of its errors the client tells last depends on time: what it says is the same.
        _ if trouble.contains("certificate") => "; check `tls` and `ca_file`",
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "; check `username`, `password` and `mechanism`"
        }
        Code::SSL => "; check `tls` and `ca_file`",
        Code::Resolve | Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut => {
            "; check that the brokers run, and `brokers` and `tls`"
        }
        _ => "",
    }
}
