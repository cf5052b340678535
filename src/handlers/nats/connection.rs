//! A connection to NATS, and what becomes of it.

use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::{ConnectOptions, Event};
use tokio::sync::watch;

use super::refusal;
use super::settings::Server;
use crate::handlers::Failure;
use crate::handlers::broker::Trouble;

/// Longer than any handler may take: the caller's own time is what counts.
const NEVER: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);

/// A connection that was made once. The library would make it anew by itself and hold back messages meanwhile, without
/// saying why it can't; so it is given up as soon as it is lost, and the next one says what is wrong.
pub(super) struct Connection {
    jetstream: Context,
    fate: watch::Receiver<Fate>,
}

/// What was heard of a connection beside the answers to what was sent.
#[derive(Default)]
struct Fate {
    is_lost: bool,
    /// The last complaint of the server.
    complaint: Option<String>,
}

impl Connection {
    /// Connects, with credentials, to the first server that can be had.
    pub(super) async fn make(server: &Server) -> Result<Self, Failure> {
        let (tell, fate) = watch::channel(Fate::default());
        let options = server.options().map_err(Failure::retry)?.event_callback(move |event| {
            tell.send_modify(|fate| match event {
                Event::Disconnected | Event::Closed => fate.is_lost = true,
                Event::ServerError(complaint) => fate.complaint = Some(complaint.to_string()),
                _ => {}
            });
            std::future::ready(())
        });
        let client = connect(options, server).await?;
        // Nothing waits in it: as many calls as the handler makes side by side go on side by side.
        let builder = ContextBuilder::new().timeout(NEVER).backpressure_on_inflight(true);
        Ok(Self { jetstream: builder.build(client), fate })
    }

    /// Publishes, and returns when a stream has confirmed it.
    pub(super) async fn publish(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<PublishAck, Trouble> {
        if self.fate.borrow().is_lost {
            // Else the library would keep the message for a connection that may never come.
            return Err(self.lost(&subject).await);
        }
        let confirmation = async {
            let sent = self.jetstream.send_publish(subject.clone(), message).await?;
            sent.await
        };
        tokio::select! {
            biased;
            answer = confirmation => answer.map_err(|error| refusal::of_publishing(&error, &subject)),
            trouble = self.lost(&subject) => Err(trouble),
        }
    }

    /// Waits until the connection is lost, or the server complains about what is published to `subject`, for which there is
    /// no other answer.
    async fn lost(&self, subject: &str) -> Trouble {
        let forbidden = format!("Permissions Violation for Publish to \"{subject}\"");
        let is_forbidden =
            |fate: &Fate| fate.complaint.as_ref().is_some_and(|text| text.contains(&forbidden));
        let mut fate = self.fate.clone();
        // The other end being gone is a loss as well.
        let Ok(fate) = fate.wait_for(|fate| fate.is_lost || is_forbidden(fate)).await else {
            return refusal::lost(None);
        };
        if is_forbidden(&fate) {
            refusal::forbidden(subject)
        } else {
            refusal::lost(fate.complaint.as_deref())
        }
    }
}

async fn connect(options: ConnectOptions, server: &Server) -> Result<async_nats::Client, Failure> {
    options.connect(server.addresses.clone()).await.map_err(|error| refusal::of_connecting(&error, server))
}
