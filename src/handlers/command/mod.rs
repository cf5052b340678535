//! The kind `command`: runs a program for each event.
//!
//! The body is the program's standard input, and `LECTERN_…` variables say which event it is. Exit status 0 is done, every
//! other end a failure; the end of what it wrote, to either output, is kept.
//!
//! The program runs in a process group of its own, which is killed when the program has ended, at the handler's
//! timeout, and when the call is dropped, as at shutdown. A program that must leave something running starts it in a
//! session of its own (`setsid`).

mod environment;
mod group;
mod output;
mod settings;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use self::environment::Environment;
use self::group::Group;
use self::output::Output;
use self::settings::Checked;
use super::excerpt::Secrets;
use super::{Failure, Handler, Success, Work};
use crate::config::{Settings, SettingsError};

/// How long to wait for the end of the output once the group is killed. Only a process that has left the group can use
/// it up. It is shorter than the second after which a call past its timeout is dropped.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// It has no `Debug`: arguments and environment may hold secrets.
struct Command {
    program: String,
    arguments: Vec<String>,
    working_dir: Option<PathBuf>,
    environment: Environment,
    /// What is kept of the output has none of these.
    secrets: Secrets,
}

/// Makes a handler of this kind.
pub(super) fn build(settings: Settings) -> Result<Box<dyn Handler>, SettingsError> {
    let Checked { program, arguments, working_dir, env } = settings::check(settings.read()?)?;
    let mut secrets = Secrets::default();
    env.values().for_each(|value| secrets.add(value));
    let environment = Environment::new(env, std::env::vars_os());
    Ok(Box::new(Command { program, arguments, working_dir, environment, secrets }))
}

#[async_trait]
impl Handler for Command {
    async fn handle(&self, work: &Work) -> Result<Success, Failure> {
        let (mut child, mut output) = self.start(work).map_err(|error| self.not_started(&error))?;
        let mut stdin = child.stdin.take();
        // After both, so that it is dropped before: while the child is not reaped, its group's number can't be given to
        // another, and while the input is open, nobody takes a piece of the body for the whole.
        let group = Group::of(&child);

        let run = async {
            let feed_and_read = async {
                tokio::join!(feed(&mut stdin, &work.content.body), output.read());
                std::future::pending().await
            };
            tokio::select! {
                status = child.wait() => status,
                never = feed_and_read => never,
            }
        };
        let ended = timeout(work.timeout, run).await;
        // What the program left running must not hold the output open.
        drop(group);
        let _ = timeout(LAST_WORDS, async { tokio::join!(child.wait(), output.read()) }).await;

        match ended {
            Ok(status) => self.verdict(status?, output.end(&self.secrets)),
            Err(_elapsed) => {
                Err(Failure { output: output.end(&self.secrets), ..self.not_ended(work.timeout) })
            }
        }
    }
}

impl Command {
    fn start(&self, work: &Work) -> io::Result<(Child, Output)> {
        let (output, writer) = Output::new()?;
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(directory) = &self.working_dir {
            command.current_dir(directory);
        }
        self.environment.apply(&mut command, work);
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        // With the call dropped, the group kills and the runtime reaps.
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        Ok((child, output))
    }

    fn not_started(&self, error: &io::Error) -> Failure {
        let place = self.working_dir.as_ref().map(|dir| format!(" in {}", dir.display())).unwrap_or_default();
        Failure::retry(format!("`{}` could not be started{place}: {error}", self.program))
    }

    fn not_ended(&self, time: Duration) -> Failure {
        Failure::timed_out(format!("`{}` did not end within {time:?} and was killed", self.program))
    }

    fn verdict(&self, status: ExitStatus, output: Option<String>) -> Result<Success, Failure> {
        if status.success() {
            return Ok(Success { status: status.code(), output });
        }
        let end = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with status {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => format!("was killed by signal {number} ({signal})"),
                Err(_) => format!("was killed by signal {number}"),
            },
            (None, None) => "ended without a status".to_owned(),
        };
        let reason = format!("`{}` {end}", self.program);
        Err(Failure { status: status.code(), output, ..Failure::retry(reason) })
    }
}

/// A program need not read its input, or not all of it: an error here says nothing about its success.
async fn feed(stdin: &mut Option<ChildStdin>, body: &[u8]) {
    if let Some(pipe) = stdin {
        let _ = pipe.write_all(body).await;
    }
    // Closed, so that the program sees the end.
    *stdin = None;
}
