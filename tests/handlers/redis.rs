//! The kind `redis`, with real servers.

mod arriving;
mod settings;
mod tls;
mod troubles;

use std::collections::BTreeMap;
use std::path::Path;

use lectern::handlers::Handler;
use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, cmd};
use serde_json::json;

use crate::brokers::{Program, Server, fresh, from_script};
use crate::support::handler;

/// A stream of a test's own, and a server that has it.
struct Inbox {
    url: String,
    stream: String,
}

/// An entry: its id and its fields.
type Entry = (String, BTreeMap<String, Vec<u8>>);

impl Inbox {
    /// A stream on the server of `scripts/with-brokers`.
    fn new() -> Self {
        Self::on(from_script("LECTERN_TEST_REDIS_URL"))
    }

    fn on(url: String) -> Self {
        Self { url, stream: fresh("podium:") }
    }

    fn handler(&self) -> Box<dyn Handler> {
        handler("redis", json!({ "url": self.url, "stream": self.stream }))
    }

    /// What the server answers to a command.
    async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = connection_to(&self.url).await;
        cmd(command[0]).arg(&command[1..]).query_async(&mut connection).await.unwrap()
    }

    async fn entries(&self) -> Vec<Entry> {
        self.ask(&["XRANGE", &self.stream, "-", "+"]).await
    }
}

async fn connection_to(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// A server of a test's own.
async fn own_server() -> (Server, String) {
    let server = start(|home, port| format!("port {port}\n{}", conf(home))).await;
    let url = format!("redis://:hunter2@127.0.0.1:{}", server.port);
    (server, url)
}

async fn start(conf: fn(&Path, u16) -> String) -> Server {
    let ready = "Ready to accept connections";
    Server::start(Program { program: "LECTERN_TEST_REDIS_SERVER", conf, ready }).await
}

/// All but the port.
fn conf(home: &Path) -> String {
    format!(
        "bind 127.0.0.1\ndir {}\nrequirepass hunter2\nsave \"\"\nappendonly yes\n\
         proc-title-template \"{{title}} {{config-file}}\"\n",
        home.display()
    )
}
