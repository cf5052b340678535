//! Open files: each connection is one, and the system lets a process have only so many.

use crate::config::Config;

/// How many connections the internal listener has at once. No key: your own systems need few, and it bears with as many slow
/// ones as the public listener does.
const INTERNAL: u32 = 1024;

/// How many files are kept for everything else: the log, the database, the spool, programs that are being started.
const OTHERS: u32 = 256;

/// So many more are asked for than should be needed. Not all that there may be, which is a billion in some containers: programs
/// that are started have the same limit, and some of them go through all files that could be open.
const SPARE: u64 = 1024;

/// How many connections each listener has at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    pub(super) public: u32,
    pub(super) internal: u32,
}

impl Connections {
    /// What is configured, or as much of it as there may be files. Has the system raise its limit as far as that takes, and warns
    /// where it does not go so far.
    pub(super) fn of(config: &Config) -> Self {
        let wanted = Self { public: config.public.max_connections, internal: INTERNAL };
        let calls = config.handlers.iter().map(|handler| handler.concurrency);
        let others = calls.fold(OTHERS + config.database.max_connections, u32::saturating_add);
        let needed = u64::from(wanted.public) + u64::from(wanted.internal) + u64::from(others);
        let Some(limit) = raise_limit(needed + SPARE) else { return wanted };
        let fitting = wanted.fitting(limit.saturating_sub(others));
        if fitting != wanted {
            tracing::warn!(
                limit,
                needed,
                public = fitting.public,
                internal = fitting.internal,
                "the limit of open files is too low for `public.max_connections`: the listeners have fewer connections; \
                 raise it (`ulimit -n`, LimitNOFILE)"
            );
        }
        fitting
    }

    /// The same, or less in the same proportion.
    fn fitting(self, files: u32) -> Self {
        let wanted = u64::from(self.public) + u64::from(self.internal);
        let share = |wanted_here: u32| {
            let share = u64::from(wanted_here) * u64::from(files) / wanted;
            // Fewer are no service at all.
            wanted_here.min(u32::try_from(share).unwrap_or(u32::MAX).max(16))
        };
        Self { public: share(self.public), internal: share(self.internal) }
    }
}

/// How many files the process may have open from now on, where that is known, if so many are `wanted`.
fn raise_limit(wanted: u64) -> Option<u32> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let limit = raised(soft, hard, wanted);
        let set = if limit > soft { setrlimit(Resource::RLIMIT_NOFILE, limit, hard) } else { Ok(()) };
        if let Err(error) = &set {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
        Some(u32::try_from(if set.is_ok() { limit } else { soft }).unwrap_or(u32::MAX))
    }
    #[cfg(not(unix))]
    {
        let _ = wanted;
        None
    }
}

/// What becomes of a limit that may be raised up to `hard`, where so many are `wanted`. It is never lowered: somebody set it so.
#[cfg(unix)]
fn raised(soft: u64, hard: u64, wanted: u64) -> u64 {
    soft.max(wanted.min(hard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_as_far_as_is_wanted_and_may_be_and_never_lowered() {
        for (soft, hard, wanted, limit) in
            [(1024, 1_000_000_000, 6000, 6000), (1024, 4096, 6000, 4096), (65_536, 1_000_000, 6000, 65_536)]
        {
            assert_eq!(raised(soft, hard, wanted), limit);
        }
    }

    #[test]
    fn connections_that_do_not_fit_are_cut_in_proportion_and_a_few_stay() {
        let wanted = Connections { public: 4096, internal: 1024 };
        assert_eq!(wanted.fitting(u32::MAX), wanted);
        assert_eq!(wanted.fitting(5120), wanted);
        assert_eq!(wanted.fitting(5115), Connections { public: 4092, internal: 1023 });
        assert_eq!(wanted.fitting(500), Connections { public: 400, internal: 100 });
        assert_eq!(wanted.fitting(0), Connections { public: 16, internal: 16 });
    }
}
