//! No process outlives the call.

use std::path::Path;
use std::time::Duration;

use lectern::handlers::Failure;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;
use tokio::time::timeout;

use super::shell;
use crate::support::{MARGIN, eventually, handler, work};

/// The process whose number a program wrote into a file, once it has.
fn process_in(file: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(file).ok()?;
    text.strip_suffix('\n')?.parse().ok().map(Pid::from_raw)
}

/// Neither running nor a zombie.
fn is_gone(process: Pid) -> bool {
    kill(process, None) == Err(Errno::ESRCH)
}

/// A killed process whose parent is gone too is reaped by the first process of the machine, if that does so: inside a
/// container it may not, and a zombie stays.
fn has_ended(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    is_gone(process)
        || stat.is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

#[tokio::test]
async fn a_dropped_call_kills_the_program_and_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let line = "echo $$ > parent; sleep 1000 & echo $! > child; wait";
    let settings = json!({ "command": ["sh", "-c", line], "working_dir": folder.path() });
    let handler = handler("command", settings);
    let (parent, child) = (folder.path().join("parent"), folder.path().join("child"));
    let work = work("{}");

    tokio::select! {
        outcome = handler.handle(&work) => panic!("it can't end by itself: {outcome:?}"),
        () = eventually("both have started", || process_in(&parent).and(process_in(&child)).is_some()) => {}
    }

    let (parent, child) = (process_in(&parent).unwrap(), process_in(&child).unwrap());
    eventually("the program is killed and reaped", || is_gone(parent)).await;
    eventually("its child is killed", || has_ended(child)).await;
}

#[tokio::test]
async fn a_dropped_call_kills_a_program_that_neither_reads_nor_writes() {
    let folder = tempfile::tempdir().unwrap();
    let line = "echo $$ > program; exec sleep 1000 <&- >&- 2>&-";
    let settings = json!({ "command": ["sh", "-c", line], "working_dir": folder.path() });
    let handler = handler("command", settings);
    let program = folder.path().join("program");
    let work = work(vec![b'x'; 1024 * 1024]);

    tokio::select! {
        outcome = handler.handle(&work) => panic!("it can't end by itself: {outcome:?}"),
        () = eventually("it has started", || process_in(&program).is_some()) => {}
    }

    let program = process_in(&program).unwrap();
    eventually("the program is killed and reaped", || is_gone(program)).await;
}

#[tokio::test]
async fn at_the_timeout_the_program_and_its_children_are_killed_and_the_end_of_the_output_is_kept() {
    let mut work = work(vec![b'x'; 1024 * 1024]);
    work.timeout = Duration::from_secs(2);
    let handler = shell("sleep 1000 & echo $$; echo $! >&2; wait");

    let outcome = timeout(work.timeout + MARGIN, handler.handle(&work)).await.expect("in time");

    let failure = outcome.unwrap_err();
    let reason = "`sh` did not end within 2s and was killed";
    let output = failure.output.clone();
    assert_eq!(failure, Failure { output, ..Failure::timed_out(reason) });
    let output = failure.output.unwrap();
    let (parent, child) = output.trim_end().split_once('\n').unwrap();
    let [parent, child] = [parent, child].map(|id| Pid::from_raw(id.parse().unwrap()));
    assert!(is_gone(parent), "the program is killed and reaped");
    eventually("its child is killed", || has_ended(child)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_in_a_session_of_its_own_does_not_hold_an_attempt_that_has_timed_out() {
    let mut work = work("{}");
    work.timeout = Duration::from_secs(2);
    let handler = shell("setsid sh -c 'echo $$; exec sleep 1000' & exec sleep 1000");

    let outcome = timeout(work.timeout + MARGIN, handler.handle(&work)).await.expect("in time");

    let failure = outcome.unwrap_err();
    assert!(failure.timed_out, "{failure:?}");
    let stays = Pid::from_raw(failure.output.unwrap().trim().parse().unwrap());
    kill(stays, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn what_a_program_leaves_running_is_killed_and_does_not_hold_the_attempt() {
    let line = "sleep 1000 & echo $!";
    let done = timeout(Duration::from_secs(10), shell(line).handle(&work("{}"))).await.unwrap().unwrap();
    let child = done.output.unwrap().trim().parse().map(Pid::from_raw).unwrap();
    eventually("the child is killed", || has_ended(child)).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_in_a_session_of_its_own_may_stay_but_does_not_hold_the_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let line = "mkfifo left; setsid sh -c 'echo $$; echo > left; exec sleep 1000' & read -r line < left";
    let settings = json!({ "command": ["sh", "-c", line], "working_dir": folder.path() });
    let handler = handler("command", settings);
    let work = work("{}");
    let call = timeout(Duration::from_secs(10), handler.handle(&work)).await;
    let done = call.expect("the program has ended, so the attempt has").unwrap();
    let stays: i32 = done.output.unwrap().trim().parse().unwrap();
    let stays = Pid::from_raw(stays);
    assert_eq!(kill(stays, None), Ok(()));
    kill(stays, nix::sys::signal::Signal::SIGKILL).unwrap();
}
