//! A process group that does not outlive its use.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

/// The group that a child leads. Dropping this kills all that is left in it.
pub(super) struct Group(Pid);

impl Group {
    /// The group of a child that was started as the leader of its own.
    pub(super) fn of(child: &Child) -> Option<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        id.map(|id| Self(Pid::from_raw(id)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // An error says that nothing is left.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}
