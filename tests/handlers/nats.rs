//! The kind `nats`, with real servers.

mod arriving;
mod settings;
mod tls;
mod troubles;

use std::path::Path;

use async_nats::ConnectOptions;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self, Context};
use lectern::handlers::Handler;
use reqwest::Url;
use serde_json::json;

use crate::brokers::{Program, Server, fresh, from_script};
use crate::support::handler;

/// A stream of a test's own, and a server that has it.
struct Inbox {
    url: String,
    jetstream: Context,
    /// The stream's name, and the first word of its subjects.
    name: String,
}

impl Inbox {
    /// A stream on the server of `scripts/with-brokers`.
    async fn new() -> Self {
        Self::on(from_script("LECTERN_TEST_NATS_URL"), Config::default()).await
    }

    async fn on(url: String, limits: Config) -> Self {
        let name = fresh("podium-");
        let inbox = Self { jetstream: jetstream_at(&url).await, url, name };
        let (name, subjects) = (inbox.name.clone(), vec![format!("{}.>", inbox.name)]);
        inbox.jetstream.create_stream(Config { name, subjects, ..limits }).await.unwrap();
        inbox
    }

    fn handler(&self) -> Box<dyn Handler> {
        handler("nats", json!({ "url": self.url, "subject": format!("{}.{{event_type}}", self.name) }))
    }

    async fn stream(&self) -> Stream {
        self.jetstream.get_stream(&self.name).await.unwrap()
    }

    /// How many messages it holds.
    async fn count(&self) -> u64 {
        self.stream().await.cached_info().state.messages
    }

    async fn message(&self, sequence: u64) -> StreamMessage {
        self.stream().await.get_raw_message(sequence).await.unwrap()
    }
}

async fn jetstream_at(url: &str) -> Context {
    let url: Url = url.parse().unwrap();
    let (user, password) = (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
    let options = ConnectOptions::with_user_and_password(user, password);
    let address = format!("nats://127.0.0.1:{}", url.port().unwrap());
    jetstream::new(options.connect(address).await.unwrap())
}

/// A server of a test's own.
async fn own_server() -> (Server, String) {
    let server = start(conf).await;
    let url = format!("nats://lectern:hunter2@127.0.0.1:{}", server.port);
    (server, url)
}

async fn start(conf: fn(&Path, u16) -> String) -> Server {
    Server::start(Program { program: "LECTERN_TEST_NATS_SERVER", conf, ready: "Server is ready" }).await
}

fn conf(home: &Path, port: u16) -> String {
    format!(
        r#"
        listen: "127.0.0.1:{port}"
        max_payload: 1MB
        debug: true
        authorization: {{ users: [
            {{ user: lectern, password: hunter2 }}
            {{ user: reader, password: hunter2, permissions: {{ publish: "nothing" }} }}
        ] }}
        jetstream: {{ store_dir: "{}/data" }}
        "#,
        home.display()
    )
}
