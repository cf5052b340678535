//! The producer: one connection to the cluster, which every call of a handler shares.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _};

use crate::config::SettingsError;
use crate::handlers::Failure;

/// How long the client may take to notice that a message's time is over: it looks once a second.
const NOTICE: Duration = Duration::from_millis(1500);
/// How long a topic may be unknown before that is its answer: one that was just made is not known everywhere at once.
const PROPAGATION: Duration = Duration::from_secs(5);

/// Makes the producer at the first call, and another one when that is beyond repair. A lost connection is not: the
/// client makes it anew by itself.
pub(super) struct Producers {
    config: ClientConfig,
    current: Mutex<Option<Arc<Producer>>>,
}

impl Producers {
    /// Checks the settings the way the client reads them, without speaking to anybody.
    pub(super) fn new(config: ClientConfig) -> Result<Self, SettingsError> {
        let mut nowhere = config.clone();
        nowhere.remove("bootstrap.servers");
        Producer::new(&nowhere, Duration::from_secs(30))
            .map_err(|why| SettingsError(format!("the Kafka client refuses these settings: {why}")))?;
        Ok(Self { config, current: Mutex::default() })
    }

    /// The producer for calls that may take this long; a handler's calls all may take the same.
    pub(super) fn get(&self, timeout: Duration) -> Result<Arc<Producer>, Failure> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = &*current
            && producer.timeout == timeout
            && producer.fatal_error().is_none()
        {
            return Ok(Arc::clone(producer));
        }
        let producer = Producer::new(&self.config, timeout)
            .map_err(|why| Failure::retry(format!("no Kafka client could be made: {why}")))?;
        Ok(Arc::clone(current.insert(Arc::new(producer))))
    }
}

/// One client.
pub(super) struct Producer {
    client: FutureProducer<Ear>,
    trouble: Arc<Trouble>,
    timeout: Duration,
}

impl Producer {
    fn new(config: &ClientConfig, timeout: Duration) -> Result<Self, String> {
        // A message that is not delivered by then is dropped and reported, so that the call hears of it in its time.
        let drop_after = (timeout / 2).max(timeout.saturating_sub(NOTICE));
        let mut config = config.clone();
        config
            .set("message.timeout.ms", drop_after.as_millis().max(1).to_string())
            .set("topic.metadata.propagation.max.ms", PROPAGATION.min(timeout / 2).as_millis().to_string())
            .set_log_level(RDKafkaLogLevel::Info);
        let trouble = Arc::<Trouble>::default();
        let client = config.create_with_context(Ear(Arc::clone(&trouble))).map_err(|error| match error {
            // The text of the error itself repeats the value, which may be a password.
            KafkaError::ClientConfig(_, why, key, _) => format!("{key}: {why}"),
            KafkaError::ClientCreation(why) => why,
            other => other.to_string(),
        })?;
        Ok(Self { client, trouble, timeout })
    }

    /// Hands a message over to the client, which reports what becomes of it.
    pub(super) fn send(&self, message: FutureRecord<'_, str, [u8]>) -> Result<DeliveryFuture, KafkaError> {
        self.client.send_result(message).map_err(|(error, _message)| error)
    }

    /// Why this client is of no further use, if it is.
    pub(super) fn fatal_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.client.client().fatal_error()
    }

    /// The last trouble with the brokers.
    pub(super) fn trouble(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.trouble.lock().clone()
    }

    /// What went wrong before is over.
    pub(super) fn is_well(&self) {
        *self.trouble.lock() = None;
    }
}

/// What the client said last of what goes wrong between it and the brokers.
#[derive(Default)]
struct Trouble(Mutex<Option<(RDKafkaErrorCode, String)>>);

impl Trouble {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(RDKafkaErrorCode, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What listens to the client.
struct Ear(Arc<Trouble>);

impl ClientContext for Ear {
    // The client never writes a password; what it does write is of its own threads and connections.
    fn log(&self, level: RDKafkaLogLevel, _facility: &str, message: &str) {
        use RDKafkaLogLevel::{Alert, Critical, Emerg, Error, Warning};
        match level {
            Emerg | Alert | Critical | Error | Warning => tracing::warn!("Kafka client: {message}"),
            _ => tracing::debug!("Kafka client: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let mut trouble = self.0.lock();
        // That all brokers are down only follows from what was said of each.
        if code != RDKafkaErrorCode::AllBrokersDown || trouble.is_none() {
            *trouble = Some((code, reason.to_owned()));
        }
    }
}
