//! Brokers: those of `scripts/with-brokers`, and some of a test's own, to be taken away and brought back.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lectern::handlers::{Failure, Handler, Success, Work};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tempfile::{NamedTempFile, TempDir};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::MARGIN;

/// What `scripts/with-brokers` says.
pub(crate) fn from_script(name: &str) -> String {
    let why = format!("this test needs brokers: run ./scripts/test, which starts them and sets {name}");
    std::env::var(name).expect(&why)
}

/// A file that `scripts/with-brokers` has made: `certificate.pem` or `key.pem`.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(from_script("LECTERN_TEST_BROKERS_DIR")).join(name)
}

/// A name that no other test uses.
pub(crate) fn fresh(prefix: &str) -> String {
    format!("{prefix}{:016x}", getrandom::u64().unwrap())
}

/// What a broker of a test's own is.
pub(crate) struct Program {
    /// The variable that names the program.
    pub(crate) program: &'static str,
    /// Its configuration, for a folder and a port.
    pub(crate) conf: fn(&Path, u16) -> String,
    /// What its log says when it is ready.
    pub(crate) ready: &'static str,
}

/// A running server. It ends with this value; `scripts/with-brokers` ends it when a killed test could not.
pub(crate) struct Server {
    what: Program,
    home: TempDir,
    pub(crate) port: u16,
    process: Option<Child>,
    /// Keeps the port for this server while it is away: another test's must not be found in its place.
    _claim: NamedTempFile,
}

impl Server {
    /// Starts a server on a port that was free.
    pub(crate) async fn start(what: Program) -> Self {
        let folder = PathBuf::from(from_script("LECTERN_TEST_BROKERS_DIR"));
        let home = tempfile::Builder::new().prefix("test-").tempdir_in(&folder).unwrap();
        // Below the ports that the system hands out by itself.
        let claims =
            std::iter::repeat_with(|| 20_000 + u16::try_from(getrandom::u32().unwrap() % 10_000).unwrap());
        let claim = |port| {
            let claim =
                tempfile::Builder::new().prefix(&format!("port-{port}")).rand_bytes(0).tempfile_in(&folder);
            Some((port, claim.ok()?))
        };
        let mut claims = claims.filter_map(claim).take(10);
        let (port, claim) = claims.next().unwrap();
        let mut server = Self { what, home, port, process: None, _claim: claim };
        while !server.try_start().await {
            (server.port, server._claim) = claims.next().expect("one of ten ports is free");
        }
        server
    }

    /// Ends the server in the middle of whatever it does, as a crash would.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Starts the stopped server on the same data and the same port.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.try_start().await, "a stopped server starts again");
    }

    /// What it has said since its start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// Stops it where it stands: whoever connects gets a connection, and nothing else.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
        // One of its threads could still answer before it has heard of it.
        waitpid(self.id(), Some(WaitPidFlag::WUNTRACED)).unwrap();
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        kill(self.id(), signal).unwrap();
    }

    fn id(&self) -> Pid {
        Pid::from_raw(self.process.as_ref().unwrap().id().try_into().unwrap())
    }

    /// Whether it runs and is ready: it ends by itself when somebody has the port.
    async fn try_start(&mut self) -> bool {
        let at = |name: &str| self.home.path().join(name);
        std::fs::write(at("conf"), (self.what.conf)(self.home.path(), self.port)).unwrap();
        let log = File::create(at("log")).unwrap();
        let mut command = Command::new(from_script(self.what.program));
        if self.what.program.contains("NATS") {
            command.arg("-c");
        }
        command.arg(at("conf")).current_dir(self.home.path()).stdin(Stdio::null());
        let mut process = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        std::fs::write(at("pid"), format!("{}\n", process.id())).unwrap();
        while process.try_wait().unwrap().is_none() {
            if std::fs::read_to_string(at("log")).unwrap().contains(self.what.ready) {
                self.process = Some(process);
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = std::fs::read_to_string(at("log")).unwrap();
        assert!(log.to_lowercase().contains("address already in use"), "{log}");
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The outcome of a call that keeps to its time.
pub(crate) async fn in_time(handler: &dyn Handler, work: &Work) -> Result<Success, Failure> {
    timeout(work.timeout + MARGIN, handler.handle(work)).await.expect("the call ends in time")
}

/// Calls again until it is done, as a schedule of retries would.
pub(crate) async fn at_last(handler: &dyn Handler, work: &mut Work) -> Success {
    for _ in 0..100 {
        match in_time(handler, work).await {
            Ok(success) => return success,
            Err(failure) => assert!(!failure.permanent, "{failure:?}"),
        }
        work.delivery.attempts += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never done");
}

/// A port that takes connections, and never says anything.
pub(crate) async fn silent() -> (TcpListener, u16) {
    // The system itself accepts.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
