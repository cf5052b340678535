//! One event: made, signed, posted, answered.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::time::Instant;

use super::sample::Sample;
use crate::cli::failure::Failure;
use crate::cli::http::{self, innermost};
use crate::clock::{Clock as _, SystemClock};
use crate::model::EventId;
use crate::podium::samples::Fresh;
use crate::podium::{SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER};

/// What is sent, and where to.
pub(super) struct What {
    pub(super) samples: Vec<Sample>,
    /// How many conversations the events are spread over; 0 leaves the samples' own.
    pub(super) conversations: u64,
    /// None sends without a signature.
    pub(super) key: Option<SigningKey>,
    pub(super) url: Url,
    pub(super) connections: u16,
}

/// Sends events, over connections that stay open.
pub(super) struct Sender {
    what: What,
    /// What the conversations of this run are called: those of another run are others.
    run: EventId,
    client: Client,
}

/// What became of one event.
pub(super) struct Outcome {
    /// What it was.
    pub(super) name: String,
    /// The answer, or why there is none.
    pub(super) answer: Result<Answer, Unanswered>,
    /// From when it was due to when the whole answer was there.
    pub(super) latency: Duration,
}

/// An answer, as far as it can be read.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The event's id and `accepted` or `duplicate`.
    pub(super) receipt: Option<Receipt>,
    /// What an answer that is not 200 says.
    pub(super) problem: String,
}

/// Why there is no answer.
pub(super) struct Unanswered {
    /// Nobody listens there.
    pub(super) is_unreachable: bool,
    pub(super) why: String,
}

#[derive(Deserialize)]
pub(super) struct Receipt {
    pub(super) id: String,
    pub(super) status: String,
}

impl Sender {
    pub(super) fn new(what: What) -> Result<Self, Failure> {
        let client = http::client(&what.url)
            .pool_max_idle_per_host(what.connections.into())
            .timeout(Duration::from_secs(30))
            .user_agent(concat!("lectern-send/", env!("CARGO_PKG_VERSION")));
        Ok(Self { what, run: EventId::at(SystemClock.now()), client: client.build()? })
    }

    pub(super) const fn url(&self) -> &Url {
        &self.what.url
    }

    /// Sends the event with this number, which was due at `due`.
    pub(super) async fn send(&self, number: u64, due: Instant) -> Outcome {
        let samples = &self.what.samples;
        let turn = usize::try_from(number % samples.len() as u64).unwrap_or(0);
        let sample = &samples[turn];
        let answer = self.post(number, sample).await;
        let answer = answer.map_err(|error| Unanswered {
            is_unreachable: error.is_connect(),
            why: innermost(&error.without_url()),
        });
        Outcome { name: sample.name().to_owned(), answer, latency: due.elapsed() }
    }

    async fn post(&self, number: u64, sample: &Sample) -> Result<Answer, reqwest::Error> {
        let now = SystemClock.now();
        let body = sample.body(|| Fresh {
            event_uid: EventId::at(now).to_string(),
            subject_uid: EventId::at(now).to_string(),
            conversation_uid: number
                .checked_rem(self.what.conversations)
                .map(|n| format!("{}-{n}", self.run)),
            occurred_at: now,
        });
        let timestamp = now.as_millisecond().to_string();
        let mut request = self.client.post(self.what.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.what.key {
            let signature = key.sign(timestamp.as_bytes(), &body);
            request =
                request.header(TIMESTAMP_HEADER, timestamp).header(SIGNATURE_HEADER, signature.to_string());
        }
        let response = request.body(body).send().await?;
        let status = response.status().as_u16();
        // Read to its end in any case: only then can the connection be used again.
        let body = response.bytes().await?;
        Ok(Answer::read(status, &body))
    }
}

impl Answer {
    fn read(status: u16, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Accepted {
            data: Receipt,
        }
        #[derive(Deserialize)]
        struct Problem {
            code: String,
            message: String,
        }
        let receipt = serde_json::from_slice(body).ok().map(|Accepted { data }| data);
        let problem = match serde_json::from_slice(body) {
            _ if status == 200 => String::new(),
            Ok(Problem { code, message }) => format!("{code}: {message}"),
            Err(_) => String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        Self { status, receipt, problem }
    }

    pub(super) const fn is_success(&self) -> bool {
        // Only 200 is success to Podium.
        self.status == 200
    }
}
