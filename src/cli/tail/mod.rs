//! `lectern tail`.

mod stream;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use reqwest::{Response, Url};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use self::stream::Parser;
use super::client::{Api, Filter, Server, Trouble, filter, on_one_line};
use super::failure::Failure;
use super::http::innermost;
use super::output;
use super::plain::plain;
use super::table::moment;
use crate::config::Loaded;

/// How long nothing at all may be heard: the server says every 15 seconds that it is there.
const SILENCE: Duration = Duration::from_secs(45);

/// A stream that went on for so long was a whole one: its end is no trouble.
const LASTING: Duration = Duration::from_secs(60);

/// How long to wait before the server is asked again, unless it says otherwise, and how long at most.
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_AT_MOST: Duration = Duration::from_secs(30);

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only events that fit, by the parameters of the REST API: `type`, `source`, `locationUid`, `conversationUid`
    #[arg(value_name = "FILTER=VALUE", value_parser = filter)]
    filters: Vec<Filter>,
    /// Print each event as JSON, on a line of its own
    #[arg(long)]
    json: bool,
    /// All events from the first on that there is, and then those to come
    #[arg(long, conflicts_with = "after")]
    since_start: bool,
    /// The events behind this place in the stream, which is told at the end
    #[arg(long, value_name = "ID")]
    after: Option<u64>,
    #[command(flatten)]
    server: Server,
}

const EXAMPLES: &str = "\
Examples:
  What arrives from now on:
    lectern tail
  Only messages, for a program:
    lectern tail 'type=message.*' --json

It goes on by itself when the server was away, and misses nothing. Ctrl-C ends it, and says how to go on from there.";

/// Shows events as they come, until Ctrl-C or until nobody reads any more.
pub(super) async fn run(arguments: Arguments, loaded: &Loaded) -> Result<(), Failure> {
    let api = Api::of(&arguments.server, loaded)?;
    let url = api.url(["events", "stream"], &arguments.filters);
    let after = if arguments.since_start { Some(0) } else { arguments.after };
    let mut tail = Tail { api, url, json: arguments.json, after, again: AGAIN };
    let ended = tokio::select! {
        failure = tail.follow() => Some(failure),
        _ = tokio::signal::ctrl_c() => None,
    };
    match (ended, tail.after) {
        (Some(failure), _) => Err(failure),
        (None, Some(after)) => {
            output::complain(&format!("To go on from here: lectern tail --after {after}"));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

/// Whoever follows, and how far it has come.
struct Tail {
    api: Api,
    url: Url,
    json: bool,
    after: Option<u64>,
    again: Duration,
}

/// Why a stream ends.
enum End {
    /// It is cut off, and may be taken up again.
    Cut(String),
    /// It can't go on.
    Failed(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Tail {
    /// Follows for as long as it can be.
    async fn follow(&mut self) -> Failure {
        let mut response = match self.api.listen(self.url.clone(), self.after).await {
            Ok(response) => response,
            Err(trouble) => return trouble.failure,
        };
        loop {
            let begun = Instant::now();
            match self.read(response).await {
                End::Failed(failure) => return failure,
                End::Cut(why) => {
                    // A stream that has lasted is ended now and then by a server that goes on: nothing to be told of.
                    if begun.elapsed() > LASTING
                        && let Ok(listening) = self.api.listen(self.url.clone(), self.after).await
                    {
                        response = listening;
                        continue;
                    }
                    output::complain(&format!("{why}. Events are shown again when it is back."));
                }
            }
            response = match self.listen_again().await {
                Ok(response) => response,
                Err(trouble) => return trouble.failure,
            };
            output::complain(&format!("{} is back.", self.api.address()));
        }
    }

    /// Asks until it is answered.
    async fn listen_again(&self) -> Result<Response, Trouble> {
        loop {
            sleep(self.again).await;
            match self.api.listen(self.url.clone(), self.after).await {
                Err(trouble) if trouble.passes => {}
                listening => return listening,
            }
        }
    }

    /// Shows what comes, and says why nothing more does.
    async fn read(&mut self, mut response: Response) -> End {
        let mut parser = Parser::default();
        loop {
            let bytes = match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(bytes))) => bytes,
                Ok(Ok(None)) => return End::Cut(format!("{} has ended the stream", self.api.address())),
                Ok(Err(error)) => {
                    let why = plain(&innermost(&error));
                    return End::Cut(format!("The stream of {} broke off ({why})", self.api.address()));
                }
                Err(_) => return End::Cut(format!("{} has fallen silent", self.api.address())),
            };
            if let Err(end) = self.show(&mut parser, &bytes) {
                return end;
            }
        }
    }

    fn show(&mut self, parser: &mut Parser, bytes: &[u8]) -> Result<(), End> {
        let unlike = || {
            let address = self.api.address();
            Failure::failed(format!("{address} does not stream events as Lectern does"))
        };
        for said in parser.read(bytes).map_err(|_| unlike())? {
            if let Some(data) = &said.data {
                let line = if self.json { Some(on_one_line(data)) } else { line(data) };
                output::line(line.ok_or_else(unlike)?)?;
            }
            // Only what is shown is behind.
            self.after = said.id.or(self.after);
        }
        if let Some(again) = parser.again() {
            self.again = again.min(AGAIN_AT_MOST);
        }
        Ok(())
    }
}

/// An event on one line. None when it is none.
fn line(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        id: String,
        r#type: String,
        source: String,
        conversation_uid: Option<String>,
        received_at: Timestamp,
    }
    let Event { id, r#type, source, conversation_uid, received_at } = serde_json::from_str(json).ok()?;
    let (event_type, source) = (plain(&r#type), plain(&source));
    let conversation = conversation_uid.map_or_else(|| "-".to_owned(), |uid| plain(&uid));
    // As wide as the longest of Podium's types, and as uids are: what comes later can't widen what is printed.
    Some(format!(
        "{}  {event_type:26}  {source}  {conversation:36}  {}",
        moment(Some(received_at)),
        plain(&id)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_that_orders_nothing() {
        let json = r#"{"id":"01a2027b-da68-7000-8000-5d0c3e1fa9b2","type":"message\u001b[2J","source":"default",
            "conversationUid":null,"receivedAt":"2026-11-22T09:00:01.000421Z","more":[]}"#;
        let line = line(json).unwrap();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
            "2026-11-22T09:00:01Z message\\u{1b}[2J default - 01a2027b-da68-7000-8000-5d0c3e1fa9b2"
        );
        assert_eq!(super::line("{}"), None);
    }
}
