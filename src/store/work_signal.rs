//! The signal that there may be work.

use tokio::sync::watch;

/// Wakes those who wait for work of this process. What changes is how often there was.
#[derive(Debug, Default)]
pub(super) struct WorkSignal {
    times: watch::Sender<u64>,
}

impl WorkSignal {
    /// Says that there is something to do. To be called once it is committed: whoever is woken looks for it.
    pub(super) fn announce(&self) {
        self.times.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// See [`super::Store::work_signal`].
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.times.subscribe()
    }
}
