//! A PostgreSQL of a test's own, to be taken away and brought back while Lectern runs.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Url;
use tempfile::TempDir;

/// A running server with an empty database. It ends with this value.
///
/// Its files stand beside those of the throw-away server, so that `scripts/with-postgres` also ends it when a killed
/// test could not.
pub(crate) struct PostgresServer {
    data: TempDir,
    port: u16,
    /// Keeps the port for this server while it is away: another test's must not be found in its place.
    _claim: Option<tempfile::NamedTempFile>,
}

impl PostgresServer {
    /// Starts a server on a port that was free.
    pub(crate) async fn start() -> Self {
        let folder = from_script("LECTERN_TEST_POSTGRES_DIR");
        let owner = Path::new(&folder).metadata().expect("the throw-away server's folder is there");
        let data = tempfile::Builder::new()
            .prefix("server-")
            .tempdir_in(&folder)
            .expect("a data folder can be made");
        chown(data.path(), Some(owner.uid()), Some(owner.gid())).expect("a data folder can be handed over");

        let mut server = Self { data, port: 0, _claim: None };
        // With its permissions: PostgreSQL refuses a data folder that others may read.
        let copy = server.command("cp", &["-R", "-p", "../template/.", "."]);
        run(copy).await.expect("the template of a data folder can be copied");

        for _ in 0..5 {
            // Below the ports that the system hands out by itself, so that nobody gets it while the server is away.
            let chance = getrandom::u32().expect("the system has random bytes") % 10_000;
            server.port = 20_000 + u16::try_from(chance).expect("it is below 10,000");
            let claim = tempfile::Builder::new()
                .prefix(&format!("port-{}", server.port))
                .rand_bytes(0)
                .tempfile_in(&folder);
            let Ok(claim) = claim else { continue };
            server._claim = Some(claim);
            if run(server.start_command()).await.is_ok() {
                return server;
            }
        }
        let log = std::fs::read_to_string(server.data.path().join("server.log"));
        unreachable!("PostgreSQL started on none of five ports: {log:?}");
    }

    /// Where the server listens, with a role that it lets in.
    pub(crate) fn url(&self) -> String {
        let mut url = Url::parse(&from_script("LECTERN_TEST_POSTGRES_URL")).expect("it is a postgres:// URL");
        url.set_port(Some(self.port)).expect("a postgres:// URL can have a port");
        url.into()
    }

    /// Ends the server in the middle of whatever it does, as a crash would; what it had committed stays.
    pub(crate) async fn stop(&self) {
        run(self.stop_command("immediate")).await.expect("a running PostgreSQL can be stopped");
    }

    /// Ends it as an administrator would who waits for nobody: connections are closed, and what they were at is undone.
    pub(crate) async fn shut_down(&self) {
        run(self.stop_command("fast")).await.expect("a running PostgreSQL can be shut down");
    }

    /// Starts the stopped server on the same data and the same port.
    pub(crate) async fn start_again(&self) {
        run(self.start_command()).await.expect("a stopped PostgreSQL starts again");
    }

    /// Stops all of its processes where they stand: whoever connects gets a connection, and nothing else.
    pub(crate) fn freeze(&self) {
        let Some(first) = self.first_process() else { return };
        send(&first, Signal::SIGSTOP);
        // It may still be making a child: from when it stands it has no further ones.
        let stands = || std::fs::read_to_string(format!("/proc/{first}/status"));
        while stands().is_ok_and(|status| !status.contains("State:\tT")) {
            std::thread::yield_now();
        }
        children_of(&first).for_each(|child| send(&child, Signal::SIGSTOP));
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        let Some(first) = self.first_process() else { return };
        send(&first, Signal::SIGCONT);
        children_of(&first).for_each(|child| send(&child, Signal::SIGCONT));
    }

    fn first_process(&self) -> Option<String> {
        let file = std::fs::read_to_string(self.data.path().join("postmaster.pid")).ok()?;
        Some(file.lines().next().expect("the file begins with the server's process").to_owned())
    }

    fn start_command(&self) -> Command {
        let port = format!("-p {}", self.port);
        self.command(
            &pg_ctl(),
            &["start", "-s", "-w", "-t", "60", "-D", ".", "-l", "server.log", "-o", &port],
        )
    }

    fn stop_command(&self, mode: &str) -> Command {
        self.command(&pg_ctl(), &["stop", "-s", "-m", mode, "-D", "."])
    }

    /// A command in the data folder and as its owner: PostgreSQL refuses to run as root.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let owner = self.data.path().metadata().expect("the data folder is there");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.data.path())
            .uid(owner.uid())
            .gid(owner.gid())
            .stdin(Stdio::null());
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // A frozen one can't be ended in good order.
        self.thaw();
        // Stopped already, or ended by `scripts/with-postgres` a little later: neither is this test's failure.
        let _ = self.stop_command("immediate").stderr(Stdio::null()).status();
    }
}

fn pg_ctl() -> String {
    format!("{}/pg_ctl", from_script("LECTERN_TEST_POSTGRES_BIN"))
}

fn from_script(name: &str) -> String {
    let why = format!("this test starts a PostgreSQL: run ./scripts/test, which sets {name}");
    std::env::var(name).expect(&why)
}

/// Runs a command to its end without holding up the test's other tasks; what it said is the error.
async fn run(command: Command) -> Result<(), String> {
    let output = tokio::process::Command::from(command).output().await.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// One that has ended by itself needs no signal.
fn send(process: &str, signal: Signal) {
    let _ = kill(Pid::from_raw(process.parse().expect("a process is a number")), signal);
}

fn children_of(process: &str) -> impl Iterator<Item = String> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    children.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}
