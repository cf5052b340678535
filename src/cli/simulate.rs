//! `lectern simulate`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tokio::time::interval;

use super::duration::duration;
use super::failure::Failure;
use super::output;
use crate::config::Loaded;
use crate::simulator::{Settings, Simulator};
use crate::telemetry;

#[derive(Args)]
#[command(after_long_help = NOTES)]
pub(super) struct Arguments {
    /// Where to listen; the port 0 is any free one
    #[arg(long = "at", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    at: SocketAddr,
    /// How often a failing event is tried again
    #[arg(long, value_name = "N", default_value_t = 15)]
    tries: u32,
    /// How long that takes, after which the webhook is disabled; Podium takes eight hours
    #[arg(long, value_name = "DURATION", default_value = "8h", value_parser = some)]
    gives_up_after: SignedDuration,
    /// How long an event waits for its turn before it is lost
    #[arg(long, value_name = "DURATION", default_value = "10d", value_parser = some)]
    keeps: SignedDuration,
    /// An access token that is good from the beginning
    #[arg(long, value_name = "TOKEN", default_value = "simulated-token")]
    access_token: String,
    /// A customer writes this often
    #[arg(long, value_name = "DURATION", value_parser = some)]
    every: Option<SignedDuration>,
}

const NOTES: &str = "\
It plays Podium: OAuth, the REST API as far as Lectern uses it, and webhooks, which are delivered as Podium does: signed, one after another,
tried again and again, all others waiting behind one that fails, and disabled in the end. What it has is gone when it ends.

A customer writes:
  curl -X POST http://127.0.0.1:8090/simulate/messages -H 'content-type: application/json' \\
    -d '{\"conversation\": \"one\", \"body\": \"Is it still for sale?\"}'
Something else happens:
  curl -X POST http://127.0.0.1:8090/simulate/events -H 'content-type: application/json' -d '{\"type\": \"review.created\"}'";

/// Plays Podium until it is told to stop.
pub(super) async fn run(arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    telemetry::start(loaded.log());
    let settings = Settings {
        tries: arguments.tries,
        over: of(arguments.gives_up_after),
        keeps: of(arguments.keeps),
        access_token: Some(arguments.access_token.clone()),
        ..Settings::default()
    };
    let (client_id, client_secret) = (settings.client_id.clone(), settings.client_secret.clone());
    let simulator = Simulator::start(arguments.at, settings).await?;
    let address = simulator.address();
    let (location, organization) = simulator.owner();
    output::line_if_read(format_args!(
        "Podium is played at http://{address}. For a Lectern beside it:\n\n  export PODIUM_API_URL=http://{address}\n  export \
         PODIUM_ACCESS_TOKEN={}\n\nor, to sign in, instead of the token:\n\n  export \
         LECTERN__PODIUM__AUTHORIZE_URL=http://{address}/oauth/authorize\n  export \
         LECTERN__PODIUM__TOKEN_URL=http://{address}/oauth/token\n  export PODIUM_CLIENT_ID={client_id}\n  export \
         PODIUM_CLIENT_SECRET={client_secret}\n\nlocation      {location}\norganization  {organization}",
        arguments.access_token
    ))?;
    let writing = async {
        let Some(every) = arguments.every else { return std::future::pending().await };
        let mut turns = interval(of(every).max(Duration::from_millis(1)));
        for number in 1_u64.. {
            turns.tick().await;
            simulator.receive(&format!("conversation-{}", number % 10), &format!("message number {number}"));
        }
    };
    tokio::select! {
        () = writing => {}
        () = simulator.ended() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

fn of(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

fn some(text: &str) -> Result<SignedDuration, &'static str> {
    duration(text).filter(SignedDuration::is_positive).ok_or("a duration such as 2s, 30m or 8h")
}
