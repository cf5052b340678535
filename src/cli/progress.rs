//! Watching what servers do, which goes on whether or not anybody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::failure::Failure;
use super::output;
use crate::store::StoreError;

/// How often to look.
const EVERY: Duration = Duration::from_millis(300);

/// After so long without a step it is said that servers do it.
const SOON: Duration = Duration::from_secs(5);

/// How far it is.
pub(super) enum Step<T> {
    /// So many are done, of so many, if that is known.
    At { done: u64, of: Option<u64> },
    /// It is over.
    Over(T),
}

/// Shows on standard error how far it is, with `look` again and again, until it is over: what came of it, or none when Ctrl-C
/// ended the watching. `standing` is said when it does not go on.
pub(super) async fn until_it_ends<T>(
    standing: &str,
    look: impl AsyncFn() -> Result<Step<T>, StoreError>,
) -> Result<Option<T>, Failure> {
    let bar = bar();
    let watched = tokio::select! {
        watched = watch(standing, look, &bar) => watched.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
    };
    bar.finish_and_clear();
    watched
}

async fn watch<T>(
    standing: &str,
    look: impl AsyncFn() -> Result<Step<T>, StoreError>,
    bar: &ProgressBar,
) -> Result<T, Failure> {
    let (mut last, mut since, mut told) = (None, Instant::now(), false);
    loop {
        match look().await {
            Ok(Step::Over(end)) => return Ok(end),
            Ok(Step::At { done, of }) => {
                match of {
                    Some(of) => bar.set_length(of),
                    None => bar.unset_length(),
                }
                bar.set_position(done);
                if last.replace((done, of)) != Some((done, of)) {
                    (since, told) = (Instant::now(), false);
                } else if since.elapsed() > SOON && !std::mem::replace(&mut told, true) {
                    bar.suspend(|| output::complain(standing));
                }
            }
            // The servers wait for the database, too.
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => return Err(error.into()),
        }
        sleep(EVERY).await;
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {per_sec}, {eta} left");
    // Without a terminal, indicatif draws nothing.
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Says on standard error what is going on, where nobody knows how much is left.
pub(super) fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
