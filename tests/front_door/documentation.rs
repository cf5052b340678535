//! The commands that the documentation shows, run as they stand beside a server that has something of everything.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::events::numbered_event;
use crate::support::lectern::Setup;
use crate::support::lectern::{Answer, Lectern, SECRET, TOKEN, now_in_milliseconds};
use crate::support::patience::eventually;
use crate::support::postgres::fresh_postgres_database;
use crate::upkeep::world::{World, impatient};

/// What begins such a block is tried elsewhere, or by nobody.
const NOT_HERE: [(&str, &str); 13] = [
    ("./scripts/test", "runs this test"),
    ("bench/run ", "takes hours"),
    ("cargo build ", "takes minutes, and installs: a machine with systemd is not there"),
    ("cargo run\n", "starts the server that is beside every block"),
    ("cargo run --example", "tests/handlers/custom.rs has the example"),
    ("cp .env.example", "scripts/try-compose"),
    ("docker compose ", "scripts/try-compose"),
    ("kubectl apply", "needs a cluster; scripts/check-manifests looks at what is applied"),
    (
        "DATABASE_URL=postgres://lectern:password@localhost/lectern cargo run",
        "starts a server, as every test does",
    ),
    ("export PODIUM_CLIENT_ID", "front_door/upkeep signs in, which needs a browser"),
    ("lectern doctor                      ", "tests/doctor.rs; it ends with an error when it finds one"),
    ("lectern doctor --request", "tests/doctor.rs"),
    ("nats stream add", "tests/handlers/nats.rs makes the same stream"),
];

/// What is there before each block: the functions that make failures of commands known, bound those without an end, and try again what
/// a person would do later.
const BEFORE: &str = r#"
set -euo pipefail
curl() { command curl --fail-with-body --max-time 20 "$@"; }
later() { for _ in {1..200}; do "$@" 2>/dev/null && return; sleep 0.1; done; "$@"; }
endless() { timeout --kill-after 5 3 "$@" || [[ $? == 124 ]]; }
"#;

#[tokio::test]
async fn the_commands_of_the_first_page_do_what_it_says() {
    assert_eq!(run("README.md").await, 3);
}

#[tokio::test]
async fn the_commands_of_the_page_on_the_api_do_what_it_says() {
    assert_eq!(run("docs/api.md").await, 18);
}

#[tokio::test]
async fn the_commands_of_the_page_on_the_command_line_do_what_it_says() {
    assert_eq!(run("docs/command-line.md").await, 1);
}

#[tokio::test]
async fn the_commands_of_the_page_on_handlers_do_what_it_says() {
    assert_eq!(run("docs/handlers.md").await, 4);
}

#[tokio::test]
async fn the_commands_of_the_page_on_metrics_do_what_it_says() {
    assert_eq!(run("docs/metrics.md").await, 1);
}

#[tokio::test]
async fn the_commands_of_the_page_on_operating_do_what_it_says() {
    assert_eq!(run("docs/operating.md").await, 7);
}

#[tokio::test]
async fn the_commands_of_the_page_on_podium_do_what_it_says() {
    assert_eq!(run("docs/podium.md").await, 3);
}

#[tokio::test]
async fn the_commands_of_the_page_on_webhooks_do_what_it_says() {
    assert_eq!(run("docs/webhooks.md").await, 7);
}

#[test]
fn no_page_has_commands_that_nothing_runs() {
    let run = ["README", "api", "command-line", "handlers", "metrics", "operating", "podium", "webhooks"];
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let decisions = fs::read_dir(root().join("docs/decisions")).unwrap().map(|entry| entry.unwrap().path());
    let pages = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "ARCHITECTURE.md",
        "migrations/README.md",
        "secrets/README.md",
    ];
    let mut unused: BTreeMap<_, _> = NOT_HERE.into();
    for page in docs.chain(decisions).chain(pages.map(|page| root().join(page))).filter(|page| page.is_file())
    {
        for block in blocks(&fs::read_to_string(&page).unwrap()) {
            let is_run = run.iter().any(|name| page.file_stem().is_some_and(|stem| stem == *name));
            match NOT_HERE.iter().find(|(start, _)| block.starts_with(start)) {
                Some((start, _)) => drop(unused.remove(start)),
                None => assert!(is_run, "{page:?} has commands that no test runs:\n{block}"),
            }
        }
    }
    assert!(unused.is_empty(), "nothing begins like this any more: {unused:?}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of commands on a page.
fn blocks(page: &str) -> Vec<String> {
    let (mut blocks, mut block) = (Vec::new(), None::<String>);
    for line in page.lines() {
        match (&mut block, line.trim_start()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(text), _) => {
                text.push_str(if text.is_empty() { line.trim_start() } else { line });
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// Runs the blocks of a page, each in a world of its own; how many.
async fn run(page: &str) -> usize {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let blocks: Vec<_> = blocks(&text)
        .into_iter()
        .filter(|block| !NOT_HERE.iter().any(|(start, _)| block.starts_with(start)))
        .collect();
    for block in &blocks {
        run_block(page, block).await;
    }
    blocks.len()
}

async fn run_block(page: &str, block: &str) {
    let world = world().await;
    let mut lectern = Some(world.setup.start().await);
    let known = fill(&world.setup, lectern.as_ref().unwrap()).await;
    let text = known.put_into(block).await;
    if ["lectern export", "OTEL_EXPORTER"].iter().any(|start| block.contains(start)) {
        // The page says so, or the block starts one.
        assert!(lectern.take().unwrap().stop().await.success());
    }
    let mut command = Command::new("bash");
    let path = format!("{}:{}", world.setup.dir.path().display(), std::env::var("PATH").unwrap());
    command
        .args(["-c", &format!("{BEFORE}{text}")])
        .current_dir(world.setup.dir.path())
        .env_clear()
        .envs(world.setup.env.iter().map(|(name, value)| (name, value)))
        .envs(known.variables())
        .env("PATH", path)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(Duration::from_secs(120), command.output()).await.expect("it ends").unwrap();
    let told = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{page}: {}\n{text}\n{}\n{}",
        output.status,
        told(&output.stdout),
        told(&output.stderr)
    );
}

/// A server with the secrets of a first start, the sources and handlers that pages speak of, and a Podium that is played.
async fn world() -> World {
    let world = World::with(
        Setup::sqlite().without("PODIUM_WEBHOOK_SECRET").without("LECTERN_API_TOKEN"),
        impatient(),
        r#"
        secret = "something-for-the-north"
        [[handlers]]
        name = "crm"
        kind = "command"
        command = ["false"]
        retry = { max_attempts = 1 }
        [[handlers]]
        name = "try"
        kind = "command"
        command = ["true"]
        "#,
    )
    .await
    .with_token();
    let data = world.setup.data_dir();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("webhook-secret"), SECRET).unwrap();
    fs::write(data.join("api-token"), TOKEN).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lectern"), world.setup.dir.path().join("lectern"))
        .unwrap();
    world
}

/// What stands in a world for what pages name.
struct Known {
    internal: String,
    public: String,
    process: u32,
    folder: String,
    event: String,
    delivery: String,
    message: String,
}

/// An event that one handler gave up and another did, and a request in quarantine of each source.
async fn fill(setup: &Setup, lectern: &Lectern) -> Known {
    let body = numbered_event("message.received", "a conversation", "documented");
    let answer = lectern.post(&body).await;
    assert_eq!(answer.status, StatusCode::OK);
    for path in ["/webhooks/podium", "/webhooks/podium/north"] {
        let forged = lectern.signed(path, "wrong", &now_in_milliseconds(), &body);
        assert_eq!(Answer::of(forged).await.status, StatusCode::UNAUTHORIZED);
    }
    let first = async |path: &str, count: usize| {
        eventually(path, async || {
            let found = lectern.get(path).await;
            (found.as_array()?.len() == count).then(|| found[0].clone())
        })
        .await
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    first("/api/v1/quarantine", 2).await;
    first("/api/v1/deliveries?state=done", 1).await;
    let message = first("/api/v1/messages", 1).await;
    let delivery = first("/api/v1/deliveries?state=dead&handler=crm", 1).await;
    Known {
        internal: lectern.internal.clone(),
        public: lectern.public.clone(),
        process: lectern.process(),
        folder: setup.dir.path().to_str().unwrap().to_owned(),
        event: text(&answer.json()["data"]["id"]),
        delivery: text(&delivery["id"]),
        message: text(&message["uid"]),
    }
}

impl Known {
    /// The block with what is here instead of what stands for it.
    async fn put_into(&self, block: &str) -> String {
        let mut text = block.to_owned();
        for (example, here) in [
            ("http://127.0.0.1:8081", self.internal.as_str()),
            ("http://127.0.0.1:8080", &self.public),
            ("/events/01a2027b-da68-7000-8000-5d0c3e1fa9b2", "/events/$EVENT"),
            ("/deliveries/01a2027b-da68-7001-9a3c-4b1d5e76f0ab", "/deliveries/$DELIVERY"),
            ("c5d2f6f0-61a5-4a5f-8f6e-0a4c3a8b7d21", &self.message),
            ("lectern replay DELIVERY", "lectern replay $DELIVERY"),
            ("lectern resolve DELIVERY", "later lectern resolve $DELIVERY"),
            ("$(pidof lectern)", &self.process.to_string()),
            ("/etc/lectern/", &format!("{}/", self.folder)),
            ("TOKEN=…", "TOKEN=$TOKEN"),
            ("http://collector:4318 lectern", "http://127.0.0.1:9 endless lectern"),
            ("cargo run -- ", "lectern "),
            ("lectern tail ", "endless lectern tail "),
            ("lectern simulate ", "endless lectern simulate "),
            ("curl -NH", "endless curl -NH"),
        ] {
            text = text.replace(example, here);
        }
        let elsewhere = "postgres://lectern:password@db/lectern";
        if text.contains(elsewhere) {
            text = text.replace(elsewhere, &fresh_postgres_database().await);
        }
        text
    }

    fn variables(&self) -> [(&str, String); 4] {
        [
            ("API", format!("{}/api/v1", self.internal)),
            ("TOKEN", TOKEN.to_owned()),
            ("EVENT", self.event.clone()),
            ("DELIVERY", self.delivery.clone()),
        ]
    }
}
