//! The signal that there may be work.

use tokio::sync::watch;

use super::Acceptance;

/// Wakes those who wait for work of this process. What changes is how often there was.
#[derive(Debug, Default)]
pub(super) struct WorkSignal {
    times: watch::Sender<u64>,
    made_here: watch::Sender<()>,
}

impl WorkSignal {
    /// Says that this process made something to do. To be called once it is committed: whoever is woken looks for it.
    pub(super) fn announce(&self) {
        self.hear();
        self.made_here.send_replace(());
    }

    /// Says so of a batch that was accepted, if anything in it is new: a duplicate is nothing to do, and each would have every
    /// worker look.
    pub(super) fn announce_new(&self, answers: &[Acceptance]) {
        if answers.iter().any(|answer| matches!(answer, Acceptance::Accepted(_))) {
            self.announce();
        }
    }

    /// Says that another process did.
    pub(super) fn hear(&self) {
        self.times.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// See [`super::Store::work_signal`].
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.times.subscribe()
    }

    /// Changes when this process made something to do.
    pub(super) fn made_here(&self) -> watch::Receiver<()> {
        self.made_here.subscribe()
    }
}
