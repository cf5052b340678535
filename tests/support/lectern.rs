//! The real program, started as a person would start it, and spoken to over HTTP.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lectern::podium::{SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::postgres::fresh_postgres_database;

/// The secret that every test's default source has.
pub(crate) const SECRET: &str = "something-no-one-will-know";
/// The token that every test's internal listener takes.
pub(crate) const TOKEN: &str = "a-token-for-tests";

/// How a Lectern is to be started.
pub(crate) struct Setup {
    /// The working directory; the data folder is in it.
    pub(crate) dir: Arc<TempDir>,
    /// The environment, besides what makes the program findable.
    pub(crate) env: Vec<(String, String)>,
}

impl Setup {
    /// On SQLite, with nothing but the addresses, the secret and the token set.
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a folder can be made");
        Self { dir: Arc::new(dir), env: Vec::new() }
            .env("LECTERN_LISTEN", "127.0.0.1:0")
            .env("LECTERN_INTERNAL_LISTEN", "127.0.0.1:0")
            .env("PODIUM_WEBHOOK_SECRET", SECRET)
            .env("LECTERN_API_TOKEN", TOKEN)
            .env("LECTERN__LOG__FORMAT", "json")
    }

    /// The same, on a PostgreSQL database of its own.
    pub(crate) async fn postgres() -> Self {
        Self::sqlite().env("DATABASE_URL", &fresh_postgres_database().await)
    }

    /// Leaves a variable out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    /// Sets a variable, instead of any value it had.
    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        let mut setup = self.without(name);
        setup.env.push((name.to_owned(), value.to_owned()));
        setup
    }

    /// Gives it a configuration file.
    pub(crate) fn config(self, toml: &str) -> Self {
        let file = self.dir.path().join("lectern.toml");
        std::fs::write(&file, toml).expect("the configuration can be written");
        let file = file.to_str().expect("a temporary folder has a plain name").to_owned();
        self.env("LECTERN_CONFIG", &file)
    }

    /// A command of the program in this setup.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lectern"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts the server and waits until it listens.
    pub(crate) async fn start(&self) -> Lectern {
        let mut child = self.command(&["serve"]).spawn().expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (listening, addresses) = tokio::sync::oneshot::channel();
        let stderr = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                let mut listening = Some(listening);
                let mut lines = stderr.lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let found = addresses_in(&line);
                    log.lock().expect("no test panics with the log").push_str(&(line + "\n"));
                    if let Some(found) = found {
                        let _ = listening.take().map(|listening| listening.send(found));
                    }
                }
            }
        });
        let mut stdout = child.stdout.take().expect("standard output is a pipe");
        tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
        let Ok((public, internal)) = addresses.await else {
            unreachable!("the server did not start: {}", log.lock().expect("no test panics with the log"));
        };
        Lectern { child, log, public, internal, http: client(), _dir: Arc::clone(&self.dir) }
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output();
        let output =
            timeout(Duration::from_secs(60), output).await.expect("it ends").expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Ended { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The data folder of a start without a configured one.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("lectern-data")
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

fn client() -> Client {
    // Requests of a test go where they are told, whatever proxy the machine has.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client can be built")
}

/// The line that says where the server listens.
fn addresses_in(line: &str) -> Option<(String, String)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let address = |name: &str| Some(format!("http://{}", line["fields"].get(name)?.as_str()?));
    Some((address("public")?, address("internal")?))
}

/// A running Lectern. It is killed with this value.
pub(crate) struct Lectern {
    child: Child,
    log: Arc<Mutex<String>>,
    pub(crate) public: String,
    pub(crate) internal: String,
    pub(crate) http: Client,
    /// The folder that it works in stays as long as it runs.
    _dir: Arc<TempDir>,
}

impl Drop for Lectern {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the server logged:\n{}", self.log());
        }
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, bytes: response.bytes().await.expect("the answer is whole").to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| unreachable!("not JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The code of an answer that is an error.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().expect("an error has a code").to_owned()
    }
}

impl Lectern {
    /// A request with `body`, signed with `secret` as Podium would at `timestamp` (milliseconds).
    pub(crate) fn signed(
        &self,
        path: &str,
        secret: &str,
        timestamp: &str,
        body: &[u8],
    ) -> reqwest::RequestBuilder {
        let signature = SigningKey::new(secret).sign(timestamp.as_bytes(), body);
        self.http
            .post(format!("{}{path}", self.public))
            .header("content-type", "application/json")
            .header(TIMESTAMP_HEADER, timestamp)
            .header(SIGNATURE_HEADER, signature.to_string())
            .body(body.to_vec())
    }

    /// Posts `body` to the default source, signed now.
    pub(crate) async fn post(&self, body: &[u8]) -> Answer {
        Answer::of(self.signed("/webhooks/podium", SECRET, &now_in_milliseconds(), body)).await
    }

    /// Asks the internal API, with the token.
    pub(crate) async fn api(&self, method: Method, path: &str) -> Answer {
        Answer::of(self.http.request(method, format!("{}{path}", self.internal)).bearer_auth(TOKEN)).await
    }

    /// Gets from the internal API; what it answers under `data`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.api(Method::GET, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json()["data"].clone()
    }

    /// What monitoring reads.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.api(Method::GET, "/metrics").await;
        String::from_utf8(answer.bytes).expect("metrics are text")
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no test panics with the log").clone()
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// How much memory it has, as Linux says.
    pub(crate) fn resident_bytes(&self) -> usize {
        let status = format!("/proc/{}/status", self.process());
        let status = std::fs::read_to_string(status).expect("Linux tells of its processes");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a process has memory");
        let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok());
        kibibytes.expect("memory is a number") * 1024
    }

    /// Ends it as a crash would: no time to finish anything.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a running program can be killed");
    }

    /// The same, while somebody else still holds on to it.
    pub(crate) fn kill_now(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    /// Asks it to end, while somebody else still holds on to it.
    pub(crate) fn terminate_now(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// Asks it to end, as a container's engine would, and waits until it has.
    pub(crate) async fn stop(mut self) -> std::process::ExitStatus {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        self.child.wait().await.expect("it ends")
    }

    /// Asks it to read its configuration again, and waits until it says what became of that.
    pub(crate) async fn reload(&self) -> String {
        const ANSWER: &str = "the configuration was read again";
        let before = self.log().matches(ANSWER).count();
        self.signal(nix::sys::signal::Signal::SIGHUP);
        super::patience::eventually("the configuration is read again", async || {
            let log = self.log();
            (log.matches(ANSWER).count() > before).then_some(log)
        })
        .await
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.process()).expect("a process id is small"));
        nix::sys::signal::kill(id, signal).expect("a running program can be sent a signal");
    }
}

/// The present time as Podium writes it.
pub(crate) fn now_in_milliseconds() -> String {
    use lectern::clock::Clock;
    lectern::clock::SystemClock.now().as_millisecond().to_string()
}
